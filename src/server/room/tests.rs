//! Who has to go, and who may stay.

use super::*;

const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));

fn room(connections: usize, connections_per_peer: usize) -> Arc<Room> {
    let uncounted: Arc<[IpNet]> = [IpNet::from(IpAddr::from([10, 0, 0, 1]))].into();
    Room::new(Most { connections, connections_per_peer, uncounted, body_bytes: 100 })
}

/// A connection that was looked at, and works.
fn seat(room: &Arc<Room>, peer: IpAddr) -> Place {
    match room.admit(peer) {
        Admission::Seat(place) => {
            place.sign().works();
            place
        }
        other => panic!("{other:?}"),
    }
}

fn is_cut(place: &Place) -> bool {
    use futures_util::FutureExt;
    place.cut().now_or_never().is_some()
}

#[test]
fn whoever_keeps_us_waiting_longest_goes_and_who_works_stays() {
    let room = room(4, 9);
    let places: Vec<Place> = (0..4).map(|_| seat(&room, HOME)).collect();
    assert!(matches!(room.admit(HOME), Admission::Full), "all work");
    places[0].sign().waits(Wait::Rest);
    places[1].sign().waits(Wait::Body);
    places[2].sign().waits(Wait::Head);
    let newcomers: Vec<Place> = (0..3).map(|_| seat(&room, HOME)).collect();
    assert_eq!(places.iter().map(is_cut).collect::<Vec<_>>(), [true, true, true, false]);
    assert!(matches!(room.admit(HOME), Admission::Full));
    drop(places);
    assert!(matches!(room.admit(HOME), Admission::Seat(_)), "one left by itself");
    drop(newcomers);
    assert!(room.state().peers.is_empty() && room.state().waiting.is_empty());
}

#[test]
fn the_first_to_wait_is_the_first_to_go_and_answers_count() {
    let room = room(2, 9);
    let (first, second) = (seat(&room, HOME), seat(&room, HOME));
    first.sign().waits(Wait::Head);
    second.sign().waits(Wait::Head);
    // The first one got on with it, and waits anew.
    first.sign().works();
    first.sign().waits(Wait::Head);
    let _third = seat(&room, HOME);
    assert!(is_cut(&second) && !is_cut(&first));
}

#[test]
fn a_peer_has_its_share_and_makes_room_in_it_itself() {
    let room = room(9, 2);
    let places = [seat(&room, HOME), seat(&room, HOME)];
    assert!(matches!(room.admit(HOME), Admission::Refused));
    let other = seat(&room, [198, 51, 100, 8].into());
    other.sign().waits(Wait::Head);
    places[1].sign().waits(Wait::Rest);
    let mapped: IpAddr = "::ffff:198.51.100.7".parse().unwrap();
    let _newcomer = seat(&room, mapped);
    assert!(is_cut(&places[1]) && !is_cut(&other));

    // What nobody has looked at yet may have its request with it: it is neither
    // cut nor counted as busy.
    let room = super::tests::room(9, 1);
    let Admission::Seat(new) = room.admit(HOME) else { panic!("no seat") };
    assert!(matches!(room.admit(HOME), Admission::Full));
    new.sign().works();
    assert!(matches!(room.admit(HOME), Admission::Refused));

    // All of a network of IPv6 are one; all behind a proxy are not.
    let six = |end: u128| IpAddr::from(Ipv6Addr::from_bits(0x2001_0db8 << 96 | end));
    let _one = seat(&room, six(1));
    assert!(matches!(room.admit(six(3)), Admission::Refused));
    let _three: Vec<Place> = (0..3).map(|_| seat(&room, [10, 0, 0, 1].into())).collect();
}

#[test]
fn a_body_that_does_not_come_gives_its_room_to_one_that_does() {
    let room = room(9, 9);
    let place = seat(&room, HOME);
    let body = || {
        let arrival = Arc::new(Arrival::default());
        let held = place.sign().body(arrival.clone());
        (arrival, held)
    };
    let (slow, slow_held) = body();
    assert!(slow_held.take(60));
    slow.wait();
    let (whole, whole_held) = body();
    assert!(whole_held.take(40) && whole.arrive());
    let (_new, new_held) = body();
    assert!(new_held.take(30), "the slow one made room");
    assert!(!slow.arrive(), "it was given up");
    assert!(!slow_held.take(1), "and gets none again");
    let (_newer, newer_held) = body();
    assert!(!newer_held.take(31), "who is here keeps what it has");
    drop(whole_held);
    assert!(newer_held.take(70));
    drop((slow_held, new_held, newer_held));
    assert_eq!(room.state().body_bytes, 0);
}
