use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::convert::sound::{NOW, damaged, sound};

fn gathered(path: &Path) -> (Gathered, Result<Problems, Problems>) {
    let mut gathered = Gathered::new(NOW);
    let mut export = Export::open(path).unwrap();
    let reading = Reading { dms: true, meetings: true };
    let problems = read(&mut export, reading, &mut gathered, &mut |_| {});
    (gathered, problems)
}

#[test]
fn what_is_not_of_teams_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for content in ["", "[]", "{\"zerver_stream\": []}", "{\"value\": [{\"id\": \"x\"}, 7, [null]]}"] {
        fs::write(folder.path().join("a.json"), content).unwrap();
        let problems = gathered(folder.path()).1.unwrap_err();
        assert!(
            problems.render().contains("there is no message, channel or chat of Teams in it"),
            "{content}"
        );
    }
}

/// A file of the fixture, by its path.
macro_rules! shipyard {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/teams/shipyard/", $name)).as_slice()
    };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_is_in_the_files_rows_are_sound(
        channels in damaged(shipyard!("000000a1-5a1b-4c3d-8e5f-1020304050a1/channels.json")),
        members in damaged(shipyard!("000000a1-5a1b-4c3d-8e5f-1020304050a1/members.json")),
        general in damaged(shipyard!("000000a1-5a1b-4c3d-8e5f-1020304050a1/messages-general.json")),
        rest in damaged(shipyard!("000000a1-5a1b-4c3d-8e5f-1020304050a1/messages-rest.json")),
        chats in damaged(shipyard!("chat-messages.jsonl")),
    ) {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in
            [("c.json", channels), ("m.json", members), ("g.json", general), ("r.json", rest), ("x.jsonl", chats)]
        {
            fs::write(folder.path().join(name), content).unwrap();
        }
        sound(gathered(folder.path()).0)?;
    }
}
