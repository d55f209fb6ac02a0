use std::fs;

use proptest::prelude::*;

use super::*;
use crate::convert::sound::{NOW, damaged, sound};

const FILES: [(&str, &[u8]); 4] = [
    ("users.json", include_bytes!("../../../tests/fixtures/rocketchat/harbor/users.json")),
    (
        "rocketchat_room.json",
        include_bytes!("../../../tests/fixtures/rocketchat/harbor/rocketchat_room.json"),
    ),
    (
        "rocketchat_subscription.json",
        include_bytes!("../../../tests/fixtures/rocketchat/harbor/rocketchat_subscription.json"),
    ),
    (
        "rocketchat_message.json",
        include_bytes!("../../../tests/fixtures/rocketchat/harbor/rocketchat_message.json"),
    ),
];

/// What is gathered of the files with these texts; some may be missing.
fn gathered(texts: &[Option<Vec<u8>>]) -> Gathered {
    let folder = tempfile::tempdir().unwrap();
    for ((name, _), text) in FILES.iter().zip(texts) {
        if let Some(text) = text {
            fs::write(folder.path().join(name), text).unwrap();
        }
    }
    let mut gathered = Gathered::new(NOW);
    if let Ok(mut export) = Export::open(folder.path()) {
        let _ = read(&mut export, Reading { dms: true }, &mut gathered, &mut |_| {});
    }
    gathered
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_is_in_the_files_rows_are_sound(
        texts in FILES.map(|(_, text)| prop::option::weighted(0.9, damaged(text))),
    ) {
        sound(gathered(&texts))?;
    }
}
