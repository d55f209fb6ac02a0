//! Black-box tests drive the built binary; the simulation drives the engine against the emulator's state machine.

mod simulation;
