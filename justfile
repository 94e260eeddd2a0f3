# The steps of `.ci/run` by their names, which is where their commands stand.
# `just` lists them; without just, `.ci/run NAME` is the same.

_list:
    @just --list --unsorted

# Everything that must hold before a change lands
all:
    .ci/run

# rustfmt
format:
    .ci/run format

# clippy, warnings refused
lints:
    .ci/run lints

# rustdoc, warnings refused
documentation:
    .ci/run documentation

# Whether the oldest Rust that is promised builds it
rust-version:
    .ci/run rust-version

# Builds without the sandbox, without PostgreSQL, without both
features:
    .ci/run features

# Licences and sources of the dependencies
licences:
    .ci/run licences

# Every test, with what they can use installed
tests:
    .ci/run tests

# Instructions per request, against their bounds
instructions:
    .ci/run instructions

# The README's first command
first-command:
    .ci/run first-command

# The image, built and run without a registry
image:
    .ci/run image

# Archive, Debian package, bill of materials and checksums, in dist/
release:
    .ci/run release
