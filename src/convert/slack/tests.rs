use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::convert::sound::{NOW, sound};
use crate::convert::{Choices, People, convert};

fn gathered(folder: &Path) -> (Gathered, Result<Problems, Problems>) {
    let mut gathered = Gathered::new(NOW);
    let mut export = Export::open(folder).unwrap();
    let problems = read(&mut export, Reading { dms: true }, &mut gathered, &mut |_| {});
    (gathered, problems)
}

fn names(gathered: &Gathered) -> Vec<String> {
    let converted = convert(gathered, &People::default(), &Choices::default(), NOW);
    converted.spaces.into_iter().map(|space| space.name).collect()
}

#[test]
fn two_exports_in_one_folder_are_two_workspaces() {
    let folder = tempfile::tempdir().unwrap();
    for (team, id) in [("a", "C1"), ("b", "C2")] {
        fs::create_dir(folder.path().join(team)).unwrap();
        let list = format!("[{{\"id\":\"{id}\",\"name\":\"general\",\"created\":1577836800}}]");
        fs::write(folder.path().join(team).join("channels.json"), list).unwrap();
    }
    let (gathered, problems) = gathered(folder.path());
    assert_eq!(names(&gathered), ["a/general", "b/general"]);
    assert!(problems.unwrap().render().contains("no users.json"));
}

/// A value of a message or list, of any type.
fn any_value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        Just("[\"U1\",\"U2\",null,7]".to_owned()),
        (0u64..2_000_000_000).prop_map(|number| number.to_string()),
        (1_577_836_800u64..1_577_836_900, 0u32..1_000_000).prop_map(|(s, us)| format!("\"{s}.{us:06}\"")),
        "U[1-3]".prop_map(|text| format!("\"{text}\"")),
        "(channel|group)_(join|leave|archive|unarchive)".prop_map(|text| format!("\"{text}\"")),
        "[a-z. ]{0,6}".prop_map(|text| format!("\"{text}\"")),
    ]
}

/// Objects with some of these keys, each at most once.
fn any_objects(keys: &'static [&'static str]) -> impl Strategy<Value = String> {
    let object = prop::collection::vec(prop::option::of(any_value()), keys.len()).prop_map(|values| {
        let pairs: Vec<String> = keys
            .iter()
            .zip(values)
            .filter_map(|(key, value)| Some(format!("\"{key}\":{}", value?)))
            .collect();
        format!("{{{}}}", pairs.join(","))
    });
    prop::collection::vec(object, 0..12).prop_map(|objects| format!("[{}]", objects.join(",")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_in_the_files_rows_are_sound(
        channels in any_objects(&["id", "name", "created", "updated", "members", "is_archived", "creator"]),
        users in any_objects(&["id", "deleted", "updated", "is_bot", "name"]),
        day in any_objects(&["subtype", "user", "ts", "members", "hidden", "bot_id"]),
        cut in prop::option::of(0usize..400),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let whole = format!("[{{\"id\":\"C1\",\"name\":\"x\"}},{}", &channels[1..]).replace(",]", "]");
        fs::write(folder.path().join("channels.json"), whole).unwrap();
        fs::write(folder.path().join("users.json"), users).unwrap();
        fs::create_dir(folder.path().join("x")).unwrap();
        let day = &day[..cut.unwrap_or(day.len()).min(day.len())];
        fs::write(folder.path().join("x/2020-01-01.json"), day).unwrap();
        let (gathered, problems) = gathered(folder.path());
        prop_assert!(problems.is_ok());
        sound(gathered)?;
    }
}
