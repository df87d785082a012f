//! From frames to symbols to payment codes; cameras, recorded frames, keyboard-wedge scanners.
