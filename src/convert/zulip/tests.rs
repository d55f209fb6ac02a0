use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::convert::export::tests::tarred;
use crate::convert::sound::{NOW, damaged, sound};

const REALM: &[u8] = include_bytes!("../../../tests/fixtures/zulip/orchard/realm.json");
const MESSAGES: &[u8] = include_bytes!("../../../tests/fixtures/zulip/orchard/messages-000001.json");

fn gathered(path: &Path) -> (Gathered, Result<Problems, Problems>) {
    let mut gathered = Gathered::new(NOW);
    let mut export = Export::open(path).unwrap();
    let problems = read(&mut export, Reading { dms: true }, &mut gathered, &mut |_| {});
    (gathered, problems)
}

#[test]
fn where_the_export_is() {
    for (files, expected) in [
        (&["realm.json"][..], Ok("")),
        (&["zulip-export-x/realm.json", "zulip-export-x/uploads/2/realm.json"], Ok("zulip-export-x/")),
        (&["xrealm.json", "messages-000001.json"], Err("there is no realm.json")),
        (&["a/realm.json", "b/realm.json"], Err("several realm.json")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            fs::create_dir_all(folder.path().join(file).parent().unwrap()).unwrap();
            fs::write(folder.path().join(file), "{}").unwrap();
        }
        match (root(&Export::open(folder.path()).unwrap()), expected) {
            (Ok(prefix), Ok(expected)) => assert_eq!(prefix, expected),
            (Err(refused), Err(expected)) => assert!(refused.render().contains(expected)),
            (found, _) => panic!("{files:?}: {found:?}"),
        }
    }
}

#[test]
fn an_archive_says_what_its_folder_says() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("realm.json"), REALM).unwrap();
    fs::write(folder.path().join("messages-000001.json"), MESSAGES).unwrap();
    let archive = tarred(&[
        ("./zulip-export-x/messages-000001.json", MESSAGES),
        ("./zulip-export-x/uploads/2/ab/realm.json", b"{}"),
        ("./zulip-export-x/realm.json", REALM),
    ]);
    let [(one, problems), (other, _)] = [archive.path(), folder.path()].map(gathered);
    assert_eq!(problems.unwrap().render(), "");
    assert_eq!(one.marks, other.marks);
}

#[test]
fn what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let realm = folder.path().join("realm.json");
    fs::write(&realm, "{\"zerver_userprofile\": []}").unwrap();
    assert!(gathered(folder.path()).1.unwrap_err().render().contains("it has no channel"));
    fs::write(&realm, "{\"zerver_stream\": [{\"id\": 1, \"name\": \"x\"}]}").unwrap();
    fs::write(folder.path().join("messages-000001.json.partial"), "{").unwrap();
    let problems = gathered(folder.path()).1.unwrap().render();
    assert!(problems.contains("it has no audit log"), "{problems}");
    // Of a file that was cut off, nobody knows.
    fs::write(&realm, "{\"zerver_stream\": [{\"id\": 1, \"name\": \"x\"}], \"zerver_rea").unwrap();
    let cut = gathered(folder.path()).1.unwrap().render();
    assert!(cut.contains("ends in the middle") && !cut.contains("audit log"), "{cut}");
    assert!(problems.contains("messages-000001.json.partial: the export was interrupted"), "{problems}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_is_in_the_files_rows_are_sound(realm in damaged(REALM), messages in damaged(MESSAGES)) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("realm.json"), realm).unwrap();
        fs::write(folder.path().join("messages-000001.json"), messages).unwrap();
        sound(gathered(folder.path()).0)?;
    }
}
