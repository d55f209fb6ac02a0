//! Every seed of the fuzzers through its target, and through all the others.

use std::fs;
use std::path::Path;

// For the fuzzers it is a library of its own.
#[allow(unreachable_pub)]
#[path = "../../fuzz/targets.rs"]
mod targets;

#[test]
fn every_seed_passes_every_target() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut seeds = 0;
    for (name, _) in targets::TARGETS {
        let folder = fs::read_dir(corpus.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        for seed in folder {
            let path = seed.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            seeds += 1;
            for (_, target) in targets::TARGETS {
                target(&bytes);
            }
        }
    }
    assert!(seeds > 30, "{seeds}");
}
