//! A brand's colour, made readable: what is written on it, and what it becomes
//! where it is written with, on a light ground and on a dark one.
//!
//! Contrast is WCAG 2.2's: 4.5 to 1 for text.

const LEAST_CONTRAST: f64 = 4.5;
/// The grounds of `pages.css`.
const LIGHT: Colour = Colour([255, 255, 255]);
const DARK: Colour = Colour([24, 24, 30]);
const BLACK: Colour = Colour([16, 16, 20]);
/// The accent of services that name none.
pub const DEFAULT: &str = "3d5afe";

/// Red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

impl Colour {
    /// Six hexadecimal digits.
    pub fn parse(hex: &str) -> Option<Self> {
        let mut bytes = [0; 3];
        hex::decode_to_slice(hex, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// A style sheet that sets the accent for light and dark.
    pub fn style_sheet(self) -> String {
        let (light, dark) = (self.against(LIGHT), self.against(DARK));
        let rules = |accent: Self| format!("--accent:{};--on-accent:{}", accent.css(), accent.on().css());
        format!(":root{{{}}}@media(prefers-color-scheme:dark){{:root{{{}}}}}\n", rules(light), rules(dark))
    }

    /// The nearest shade that can be read on a ground.
    fn against(self, ground: Self) -> Self {
        let goal = if ground.luminance() > 0.5 { BLACK } else { LIGHT };
        let shades = (0..=20u16).map(|step| self.mixed(goal, step));
        shades.into_iter().find(|shade| shade.contrast(ground) >= LEAST_CONTRAST).unwrap_or(goal)
    }

    /// Black or white, whichever is read better on it.
    fn on(self) -> Self {
        if self.contrast(LIGHT) >= self.contrast(BLACK) { LIGHT } else { BLACK }
    }

    fn mixed(self, goal: Self, twentieths: u16) -> Self {
        let mix = |at: usize| {
            let (own, other) = (u16::from(self.0[at]), u16::from(goal.0[at]));
            u8::try_from((own * (20 - twentieths) + other * twentieths) / 20).unwrap_or(u8::MAX)
        };
        Self([mix(0), mix(1), mix(2)])
    }

    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance() + 0.05, other.luminance() + 0.05);
        one.max(two) / one.min(two)
    }

    /// WCAG 2.2, "relative luminance".
    fn luminance(self) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(self.0[at]) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(0) + 0.7152 * channel(1) + 0.0722 * channel(2)
    }

    fn css(self) -> String {
        format!("#{}", hex::encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_colour_is_it_can_be_read() {
        for hex in ["000000", "ffffff", "ffff00", "1a6f4e", "3d5afe", "808080", "ff0000", "00ff00", "0000ff"]
        {
            let colour = Colour::parse(hex).unwrap();
            for ground in [LIGHT, DARK] {
                let shade = colour.against(ground);
                assert!(shade.contrast(ground) >= LEAST_CONTRAST, "{hex} on {}", ground.css());
                assert!(shade.on().contrast(shade) >= LEAST_CONTRAST, "{} on {hex}", shade.on().css());
            }
        }
    }

    #[test]
    fn a_colour_that_can_be_read_stays() {
        let sheet = Colour::parse("1a6f4e").unwrap().style_sheet();
        assert!(sheet.starts_with(":root{--accent:#1a6f4e;--on-accent:#ffffff}"), "{sheet}");
        assert_eq!(Colour::parse("1a6f4"), None);
        assert_eq!(Colour::parse("red}*{}"), None);
    }
}
