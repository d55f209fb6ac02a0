//! What people call the spaces, from the list of channels to the end of the migration: everybody reads `#general`, and the id
//! stands beside it.

use serde_json::Value;

use crate::report::report;
use crate::support::{Emulator, Room, UNPACED, args};

const CHANNELS: &str = "name,displayName,createTime\n\
                        #general,General,2016-01-04T08:00:00Z\n\
                        #sales,#sales,2017-03-01T08:00:00Z\n";
const ROWS: &str = "space,member,createTime,deleteTime\n\
                    #general,ada@example.com,2018-01-01T00:00:00Z,2019-01-01T00:00:00Z\n\
                    #general,cem@example.com,2018-01-01T00:00:00Z,2019-01-01T00:00:00Z\n\
                    #sales,ada@example.com,2018-01-01T00:00:00Z,2019-01-01T00:00:00Z\n\
                    #sales,anna@example.invalid,2018-01-01T00:00:00Z,2019-01-01T00:00:00Z\n";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_migration_speaks_of_channels() {
    let room = Room::new();
    room.write("channels.csv", CHANNELS);
    room.write("rows.csv", ROWS);
    let emulator = Emulator::start_without_spaces(&room, &[]);
    let run = |command: &[&str]| room.tenure(&args(&[command], &emulator.connection()));
    run(&["spaces", "create", "channels.csv"]).expect(0).says(&["Done: 2 spaces settled in"]);
    let map = room.read("channels.spaces.csv");
    assert!(map.starts_with("name,space,createTime,importModeExpireTime,displayName\n"), "{map}");
    let spaces: Vec<&str> = map.lines().skip(1).map(|line| line.split(',').nth(1).unwrap()).collect();
    let [general, sales] = spaces[..] else { panic!("{map}") };
    // A map of before there were display names is written anew.
    let earlier = map.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned() + "\n");
    room.write("channels.spaces.csv", earlier.collect::<String>());
    run(&["spaces", "create", "channels.csv"]).expect(0);
    assert_eq!(room.read("channels.spaces.csv"), map);

    let with_map = ["--spaces", "channels.spaces.csv"];
    let plan = |more: &[&str]| room.tenure(&args(&[&["plan", "rows.csv"], &with_map, more], &[])).expect(0);
    plan(&[]).says(&[&format!("the biggest: General ({general}) with 2 rows to send")]);
    let biggest = json(&plan(&["--json"]).out)["spaces"]["biggest"].take();
    assert_eq!((&biggest["space"], &biggest["name"]), (&general.into(), &"General".into()));

    run(&[&["import", "rows.csv"], &with_map[..], &UNPACED[..]].concat()).expect(3);
    const J: &str = "rows.csv.journal.db";
    let page = report(&room, J);
    let [general_id, sales_id] = [general, sales].map(|space| space.strip_prefix("spaces/").unwrap());
    for told in [
        format!("General\n{general_id}\n2"),
        format!("#sales\n{sales_id}\n2"),
        "Nobody has verified it yet.".to_owned(),
    ] {
        assert!(page.contains(&told), "no {told:?} in {page}");
    }
    room.tenure(&["spaces", "list", J])
        .expect(0)
        .says(&[&format!("{general} General"), &format!("{sales} #sales")]);
    let verify = run(&["verify", J]).expect(0);
    assert!(verify.out.contains("\nNAME     SPACE "), "{}", verify.out);
    assert!(verify.words().contains(&format!("General {general} 2 2")), "{}", verify.out);
    let verified = json(&run(&["verify", J, "--json"]).expect(0).out);
    assert_eq!(
        (&verified["spaces"][0]["space"], &verified["spaces"][0]["name"]),
        (&general.into(), &"General".into())
    );
    for name in ["General", "#general", general, general_id] {
        let chosen = json(&run(&["verify", J, "--json", "--space", name]).expect(0).out);
        assert_eq!((&chosen["spaces_total"], &chosen["spaces"][0]["space"]), (&1.into(), &general.into()));
    }
    // A display name and a name of the map that are the same are two spaces.
    room.write("channels.spaces.csv", format!("name,space\n#sales,{general}\n"));
    run(&["verify", J, "--space", "#sales"]).expect(2).says(&[
        "--space #sales: the journal has several spaces of that name",
        general,
        sales,
    ]);
    room.write("channels.spaces.csv", &map);
    run(&["complete", J, "--dry-run"])
        .says(&[&format!("with rows rejected (mend them, or --accept-rejects): #sales ({sales})")]);

    // What one journal knows of a space counts for the list of channels, too.
    let listed = || room.tenure(&["spaces", "list", "channels.csv.journal.db"]).expect(0);
    assert_eq!(listed().out.matches("89 days left").count(), 2, "{}", listed().out);
    run(&["complete", J, "--yes"]).expect(3);
    let after = listed();
    let state = |space: &str| after.out.lines().find(|line| line.starts_with(space)).unwrap().to_owned();
    assert!(state(general).ends_with("completed") && state(sales).ends_with("days left"), "{}", after.out);
    let lines = room.tenure(&["spaces", "list", "channels.csv.journal.db", "--json"]).expect(0).out;
    assert_eq!(json(lines.lines().next().unwrap())["completed"], true);
    assert!(report(&room, "channels.csv.journal.db").contains("completed\n–\n"));
}

#[test]
fn a_column_of_the_rows_says_it_where_there_is_no_map() {
    let room = Room::new();
    let rows = "space,member,createTime,deleteTime,legacyChannel,note\n\
                AAQA1,ada@example.com,2018-01-01T00:00:00Z,2019-01-01T00:00:00Z,#general,x\n\
                AAQA1,cem@example.com,2018-01-01T00:00:00Z,2019-01-01T00:00:00Z,#else,x\n\
                AAQA2,cem@example.com,2018-01-01T00:00:00Z,2019-01-01T00:00:00Z,,x\n";
    room.write("rows.csv", rows);
    let import = ["import", "rows.csv", "--emulator"];
    let run = room.tenure(&args(&[&import, &UNPACED], &[])).expect(0);
    assert!(run.err.contains("kept, but not used: note\n"), "{}", run.err);
    room.tenure(&["plan", "rows.csv"]).expect(0).says(&["the biggest: #general (spaces/AAQA1)"]);
    let listed = room.tenure(&["spaces", "list", "rows.csv.journal.db"]).expect(0);
    assert!(
        listed.words().contains("spaces/AAQA1 #general not known") && !listed.out.contains("#else"),
        "{}",
        listed.out
    );
    // Names are told once for each space, and what is told later counts.
    room.write("map.csv", "name,space\n#allgemein,AAQA1\n");
    room.tenure(&args(&[&import, &UNPACED, &["--spaces", "map.csv"]], &[])).expect(4).says(&["AAQA1"]);
    room.write("map.csv", "name,space\n#allgemein,AAQA1\nAAQA1,AAQA1\nAAQA2,AAQA2\n");
    room.tenure(&args(&[&import, &UNPACED, &["--spaces", "map.csv"]], &[])).expect(0);
    room.tenure(&["spaces", "list", "rows.csv.journal.db"]).expect(0).says(&["spaces/AAQA1 #allgemein"]);
}
