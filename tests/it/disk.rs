//! Disks that are full, and places where nothing may be written.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::support::{Emulator, Room, Run, STORE, UNPACED, args, asked_for, people};

const ROWS: usize = 60;

/// A file system of its own, in the room's folder `disk`.
struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// `None` where nothing may be mounted: that takes root.
    fn mount(room: &Room, size: &str) -> Option<Disk> {
        let folder = room.file("disk");
        fs::create_dir(&folder).unwrap();
        let disk = Disk { folder };
        let size = format!("size={size}");
        if disk.run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs"]) {
            return Some(disk);
        }
        eprintln!("skipped: nothing can be mounted here");
        None
    }

    fn remount(&self, option: &str) {
        assert!(self.run("mount", &["-o", &format!("remount,{option}")]));
    }

    /// Fills it, but for so many bytes.
    fn fill(&self, but: u64) {
        let ballast = fs::File::create(self.folder.join("ballast")).unwrap();
        std::io::copy(&mut std::io::repeat(1), &mut &ballast).unwrap_err();
        ballast.set_len(ballast.metadata().unwrap().len() - but).unwrap();
    }

    fn make_room(&self) {
        fs::remove_file(self.folder.join("ballast")).unwrap();
    }

    fn run(&self, command: &str, args: &[&str]) -> bool {
        let output = Command::new(command).args(args).arg(&self.folder).output();
        output.is_ok_and(|output| output.status.success())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.run("umount", &["-l"]);
    }
}

/// Rows that are journaled in `journal` and not sent yet, and a Chat that makes two of what it is told twice.
fn journaled(room: &Room, journal: &str) -> Emulator {
    room.write("rows.csv", people(ROWS, 2));
    let emulator = Emulator::start(room, &["--writes-per-minute", "0", "--double-repeated-creates"]);
    let import = ["import", "rows.csv", "--journal", journal, "--journal-only", "--max-in-flight", "1"];
    room.tenure(&args(&[&import, &UNPACED], &emulator.connection())).expect(0);
    emulator
}

/// The run has failed in the middle; now there is room, and the rest is done.
#[track_caller]
fn goes_on(room: &Room, journal: &str) {
    let held = room.held(STORE).len();
    assert!(0 < held && held < ROWS, "{held} rows are in Chat");
    let rows = &room.status(journal)["rows"];
    let [done, in_flight] = ["done", "in_flight"].map(|state| rows[state].as_u64().unwrap() as usize);
    assert!(done <= held && held <= done + in_flight, "{rows}, {held} held");
    room.tenure(&["resume", journal]).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}

#[test]
fn full_while_rows_are_read() {
    let room = Room::new();
    let Some(disk) = Disk::mount(&room, "400k") else { return };
    room.write("rows.csv", people(3000, 5));
    let import = ["import", "rows.csv", "--journal", "disk/j.db", "--emulator", "--journal-only"];
    room.tenure(&import).expect(1).says(&[
        "error: disk/j.db: the disk is full; make room and run the same command again, nothing is lost",
    ]);
    let left: Vec<_> = fs::read_dir(&disk.folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
    disk.remount("size=64m");
    room.tenure(&import).expect(0);
    assert_eq!(room.status("disk/j.db")["rows"]["pending"], 3000);
}

#[test]
fn full_while_rows_are_sent() {
    let room = Room::new();
    let Some(disk) = Disk::mount(&room, "8m") else { return };
    let _emulator = journaled(&room, "disk/j.db");
    disk.fill(200 << 10);
    room.tenure(&["resume", "disk/j.db"]).expect(1).says(&[
        "error: disk/j.db: the disk is full; make room and run the same command again, nothing is lost",
    ]);
    disk.make_room();
    goes_on(&room, "disk/j.db");
}

#[test]
fn a_limit_on_file_sizes_while_rows_are_read() {
    let room = Room::new();
    room.write("rows.csv", people(3000, 5));
    let import = ["import", "rows.csv", "--journal", "j.db", "--emulator", "--journal-only"];
    room.tenure_after("ulimit -f 200", &import)
        .expect(1)
        .says(&["error: j.db: the disk failed or took no more", "a limit on file sizes (ulimit -f)"]);
    assert!(!room.file("j.db").exists());
    room.tenure(&import).expect(0);
}

#[test]
fn a_limit_on_file_sizes_while_rows_are_sent() {
    let room = Room::new();
    let _emulator = journaled(&room, "j.db");
    room.tenure_after("ulimit -f 400", &["resume", "j.db"]).expect(1).says(&[
        "error: j.db: the disk failed or took no more",
        "run the same command again when that is mended",
    ]);
    goes_on(&room, "j.db");
}

#[test]
fn an_emulator_that_cannot_keep_what_it_holds() {
    let room = Room::new();
    let Some(disk) = Disk::mount(&room, "8m") else { return };
    std::os::unix::fs::symlink("disk/chat.jsonl", room.file(STORE)).unwrap();
    let emulator = journaled(&room, "j.db");
    disk.fill(4 << 10);
    room.tenure(&["resume", "j.db", "--give-up-after", "500ms"])
        .expect(5)
        .says(&["The emulator cannot keep what it holds: chat.jsonl: No space left on device"]);
    disk.make_room();
    let _emulator = emulator.restart(&room, &["--writes-per-minute", "0", "--double-repeated-creates"]);
    goes_on(&room, "j.db");
}

#[test]
fn a_folder_that_is_none() {
    let room = Room::new();
    room.write("rows.csv", people(2, 1));
    for (journal, why) in [
        ("nowhere/j.db", "the folder that it was to lie in is not there; make that first"),
        ("rows.csv/j.db", "a part of its path is a file, not a folder"),
    ] {
        let story = format!("error: no journal can be kept at {journal}: {why}");
        room.tenure(&["import", "rows.csv", "--journal", journal, "--emulator"])
            .expect(1)
            .says(&[&story, "choose another place with --journal FILE"]);
    }
    assert_eq!(room.files(), ["rows.csv"]);
}

#[test]
fn a_disk_that_is_read_only() {
    let room = Room::new();
    let Some(disk) = Disk::mount(&room, "8m") else { return };
    let _emulator = journaled(&room, "disk/j.db");
    disk.remount("ro");
    let import = |journal| room.tenure(&["import", "rows.csv", "--journal", journal, "--emulator"]).expect(1);
    import("disk/new.db")
        .says(&["no journal can be kept at disk/new.db: it lies on a disk that cannot be written to"]);
    let barred = ["error: disk/j.db: the journal or its folder cannot be written to (Read-only file system"];
    import("disk/j.db").says(&barred);
    room.tenure(&["resume", "disk/j.db"]).expect(1).says(&barred);
    // Looking takes a place for SQLite's own files.
    room.tenure(&["status", "disk/j.db"]).expect(1).says(&["disk/j.db: the journal cannot be opened"]);
    assert_eq!(room.held(STORE), []);
    disk.remount("rw");
    room.tenure(&["resume", "disk/j.db"]).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}

/// As somebody whom nothing belongs to; `None` where that cannot be arranged.
fn as_nobody(room: &Room, arguments: &[&str]) -> Option<Run> {
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let can =
        Command::new("setpriv").args(nobody).arg(env!("CARGO_BIN_EXE_tenure")).arg("--version").output();
    if !can.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this user cannot become another");
        return None;
    }
    let script = format!("exec setpriv {} \"$0\" \"$@\"", nobody.join(" "));
    Some(room.tenure_after(&script, arguments))
}

#[test]
fn a_journal_of_somebody_else() {
    let room = Room::new();
    let _emulator = journaled(&room, "j.db");
    // They may enter the folder, and no more.
    fs::set_permissions(room.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let Some(run) = as_nobody(&room, &["resume", "j.db"]) else { return };
    run.expect(1).says(&[
        "error: j.db: the journal or its folder cannot be written to (Permission denied",
        "their owner",
    ]);
    as_nobody(&room, &["status", "j.db"])
        .unwrap()
        .expect(1)
        .says(&["error: j.db: the journal cannot be opened"]);
    // They may make files there, and read the journal, but not write to it.
    fs::set_permissions(room.path(), fs::Permissions::from_mode(0o777)).unwrap();
    for readable in ["j.db", "key.json"] {
        fs::set_permissions(room.file(readable), fs::Permissions::from_mode(0o644)).unwrap();
    }
    as_nobody(&room, &["status", "j.db"]).unwrap().expect(0);
    let run = as_nobody(&room, &["resume", "j.db"]).unwrap().expect(1);
    run.says(&[
        "error: j.db: the journal or its folder cannot be written to (attempt to write a readonly database",
    ]);
    assert_eq!(room.held(STORE), []);
    room.tenure(&["resume", "j.db"]).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}

#[test]
fn full_while_rejects_and_a_page_are_written() {
    let room = Room::new();
    room.write("rows.csv", people(400, 5).replace(".com", ".invalid"));
    let import = ["import", "rows.csv", "--journal", "j.db", "--emulator"];
    room.tenure(&args(&[&import, &UNPACED], &[])).expect(3);
    let outputs: [&[&str]; 3] = [
        &["rejects", "j.db", "-o", "disk/out.csv"],
        &["rejects", "j.db", "-o", "disk/out.jsonl"],
        &["report", "j.db", "-o", "disk/out.html"],
    ];
    if let Some(disk) = Disk::mount(&room, "16k") {
        for output in outputs {
            let run = room.tenure(output).expect(1);
            let name = output[3];
            run.says(&[&format!("error: {name}: there is no room left"), "make room, and do it again"]);
            assert_eq!(fs::read_dir(&disk.folder).unwrap().count(), 0, "{output:?}");
        }
        disk.remount("size=64m");
        room.tenure(outputs[0]).expect(0);
        drop(disk);
        fs::remove_dir(room.file("disk")).unwrap();
    }
    fs::create_dir_all(room.file("disk")).unwrap();
    for output in &outputs[..2] {
        room.tenure_after("ulimit -f 66", output).expect(1);
        assert_eq!(fs::read_dir(room.file("disk")).unwrap().count(), 0, "{output:?}");
    }
    // Standard output is no file of that name.
    let run = room.tenure(&["rejects", "j.db", "-o", "-"]).expect(0);
    assert_eq!(run.out, room.tenure(&["rejects", "j.db"]).expect(0).out);
    assert!(!room.file("-").exists());
}
