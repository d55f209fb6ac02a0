//! What stands at the end of each command's help: examples first, then what has to be known. A test takes every example
//! through the parser, so none can go stale. Lines of examples stay within 80 columns, with a backslash where one goes
//! on; paragraphs are one line each, and wrapped to the terminal.

/// Under the short help of the program.
pub(super) const MORE: &str = "`tenure help COMMAND` says more about each, with examples.";

/// Under the long help of the program.
pub(super) const PROGRAM: &str = "\
Examples:
  tenure check memberships.csv
      What is wrong with the input? Nothing is sent.
  tenure import memberships.csv --emulator --journal rehearsal.db
      A rehearsal, in a Chat API inside the process.
  tenure import memberships.csv --credentials key.json \\
          --impersonate admin@example.com
      For real. Whatever stops it: type it again, and it goes on.
  tenure status memberships.csv.journal.db
      Where it stands, from another terminal.

`tenure help COMMAND` says more about each, with examples.

Exit codes:
  0    all done
  1    failed
  2    wrong usage
  3    done, but rows were rejected (verify: Chat and the journal differ; convert: some left out)
  4    the input has errors, nothing was sent
  5    stopped before the end and can be resumed (quota, network, credentials)
  130  interrupted with Ctrl-C, can be resumed (143: with SIGTERM)";

pub(super) const CHECK: &str = "\
Examples:
  tenure check memberships.csv
  tenure check memberships.csv --spaces channels.spaces.csv --users people.csv
      With tables that translate a legacy system's names.
  tenure check export.csv.gz --time-format epoch-ms
  tenure check people.csv --standard-spaces --domain example.com
      Members of today, for spaces that are not in import mode.
  tenure check memberships.csv --json > problems.json
  tenure check memberships.csv --github
      In a workflow of GitHub Actions, beside the lines of a change.

Problems forbid to send anything; warnings do not. Exit code 4 says that there are problems; `tenure import` would send nothing then.";

pub(super) const PLAN: &str = "\
Examples:
  tenure plan memberships.csv --spaces channels.spaces.csv
  tenure plan memberships.csv --writes-per-minute 1200
      What a larger quota would save.

Reads everything and sends nothing; it needs neither a journal nor credentials.";

pub(super) const IMPORT: &str = "\
Examples:
  tenure import memberships.csv --emulator --journal rehearsal.db
      Rehearse first: nothing leaves this machine.
  tenure import memberships.csv --credentials key.json \\
          --impersonate admin@example.com
      Then for real.
  tenure import memberships.csv --dry-run
      How many rows would be sent, and how long that would take.
  tenure import rejects.csv --journal memberships.csv.journal.db
      Feed back what was refused, mended.

A run that was stopped, by whatever, goes on where it was: type the same command again.";

pub(super) const RESUME: &str = "\
Examples:
  tenure resume memberships.csv.journal.db
      With the settings of the run before.
  tenure resume memberships.csv.journal.db --credentials new-key.json
      After a key was revoked.
  tenure resume memberships.csv.journal.db --writes-per-minute 600
      After the quota was raised.";

pub(super) const SPACES: &str = "\
Examples:
  tenure spaces create channels.csv --credentials key.json \\
          --impersonate admin@example.com
  tenure import memberships.csv --spaces channels.spaces.csv
      The beginning of a migration: the spaces, then their history.
  tenure spaces list channels.csv.journal.db
      How many of the 90 days are left.";

pub(super) const SPACES_CREATE: &str = "\
Examples:
  tenure spaces create channels.csv --emulator
      A rehearsal.
  tenure spaces create channels.csv --credentials key.json \\
          --impersonate admin@example.com
  tenure spaces create channels.csv --on-name-clash suffix --dry-run

Columns: name (what the memberships' input calls it), displayName, spaceType, createTime, description, \
externalUserAllowed. What was created is written to a map (columns name, space, createTime, importModeExpireTime, displayName), \
which `tenure import --spaces` takes.";

pub(super) const SPACES_LIST: &str = "\
Examples:
  tenure spaces list channels.csv.journal.db
  tenure spaces list channels.csv.journal.db --json

Which spaces of a list of channels are completed, the journals of their imports know: they are looked for in the \
same folder.";

pub(super) const SPACES_COMPLETE: &str = "\
Examples:
  tenure spaces complete spaces/AAAA spaces/BBBB --credentials key.json \\
          --impersonate admin@example.com

A space that is completed cannot go back to import mode.";

pub(super) const COMPLETE: &str = "\
Examples:
  tenure complete memberships.csv.journal.db --dry-run
      What would be done.
  tenure complete memberships.csv.journal.db --leave

Says first what would be done, and asks. A space is completed once all of its rows are settled; what was completed \
cannot go back to import mode. It can be run again at any time: what is done is not done again.";

pub(super) const ROLLBACK: &str = "\
Examples:
  tenure rollback memberships.csv.journal.db --dry-run
      What would be deleted, and what would stay.
  tenure rollback memberships.csv.journal.db

Says first what would be deleted and what would stay, and asks. Memberships of the past can be deleted while their \
space is in import mode; what was there before the import is never touched.";

pub(super) const REMOVE: &str = "\
Examples:
  tenure remove leavers.csv --standard-spaces --dry-run
  tenure remove leavers.csv --standard-spaces
  tenure remove handover.csv --standard-spaces --promote
      Rows with a role get it before the others are removed.

Of each row, space and member count; createTime, deleteTime and role do not (but see --promote). In a space in \
import mode every stint of the member goes. Whoever is not there counts as done. The only manager (\"owner\" in \
Chat) of a space cannot be removed: with --promote, rows that make somebody else one come first.";

pub(super) const UPDATE: &str = "\
Examples:
  tenure update roles.csv --dry-run
  tenure update roles.csv --impersonate admin@example.com

Of each row, space, member and role count. In each space managers (\"owners\" in Chat) are made first, so that \
the last one is never demoted before there is another.";

pub(super) const STATUS: &str = "\
Examples:
  tenure status memberships.csv.journal.db
  tenure status memberships.csv.journal.db --json

A run may go on meanwhile: it is neither stopped nor slowed down.";

pub(super) const REJECTS: &str = "\
Examples:
  tenure rejects memberships.csv.journal.db -o rejects.csv
      Mend them, then feed them back:
  tenure import rejects.csv --journal memberships.csv.journal.db
  tenure rejects memberships.jsonl.journal.db -o rejects.csv
      Rows that came as JSONL, to be mended in a spreadsheet.
  tenure rejects memberships.csv.journal.db --reasons
      Why, how often, and what to do about it.

A file's name says in which format it is written and read; under any other name it takes --format csv, here and when it is fed back.";

pub(super) const REPORT: &str = "\
Examples:
  tenure report memberships.csv.journal.db -o report.html
      At the end, or while a run goes on; again after each run.
  tenure report memberships.csv.journal.db -o report.html --no-addresses
      For everybody: without the people whose rows were refused.

The page is complete in itself: it loads nothing, sends nothing, and can be printed. It takes the place of an earlier page, and of nothing else. It holds no secrets, but the addresses of people whose rows were refused, so only you can read the file.";

pub(super) const VERIFY: &str = "\
Examples:
  tenure verify memberships.csv.journal.db
      After an import, and again after the spaces were completed.
  tenure verify memberships.csv.journal.db --json
  tenure verify memberships.csv.journal.db --csv differences.csv \\
          --space spaces/AAAA

In import mode a list shows history; once a space is completed, its members and their roles. The journal knows \
which; spaces that were completed by other means take --standard-spaces. Exit code 3 says that Chat and the journal \
differ. How it came out stays in the journal, for `tenure report` and `tenure status`.";

pub(super) const MEMBERS: &str = "\
Examples:
  tenure members list spaces/AAAA --credentials key.json \\
          --impersonate admin@example.com
      In import mode, with the service account.
  tenure members patch spaces/AAAA maria@example.com --role ROLE_MANAGER \\
          --standard-spaces
      In a completed or ordinary space, signed in with `tenure login`.";

pub(super) const MEMBERS_CREATE: &str = "\
Examples:
  tenure members create spaces/AAAA maria@example.com --standard-spaces
  tenure members create spaces/AAAA maria@example.com \\
          --create-time 2021-03-05T09:30:00Z --delete-time 2023-01-31T17:00:00Z
      In import mode: a membership of the past.";

pub(super) const MEMBERS_GET: &str = "\
Examples:
  tenure members get spaces/AAAA maria@example.com --standard-spaces
  tenure members get spaces/AAAA/members/1234567890 --json";

pub(super) const MEMBERS_LIST: &str = "\
Examples:
  tenure members list spaces/AAAA --standard-spaces
  tenure members list spaces/AAAA --json --show-groups
  tenure members list spaces/AAAA --filter 'role = \"ROLE_MANAGER\"'";

pub(super) const MEMBERS_PATCH: &str = "\
Examples:
  tenure members patch spaces/AAAA maria@example.com --role ROLE_MANAGER \\
          --standard-spaces";

pub(super) const MEMBERS_DELETE: &str = "\
Examples:
  tenure members delete spaces/AAAA maria@example.com --standard-spaces
  tenure members delete spaces/AAAA maria@example.com --all-stints
      In import mode: every membership of the past that she had there.";

pub(super) const CONVERT: &str = "\
Examples:
  tenure convert slack export.zip --domain old.example=new.example
  tenure spaces create channels.csv --credentials key.json \\
          --impersonate admin@example.com
  tenure check memberships.jsonl --spaces channels.spaces.csv
      The beginning of a migration.

Every row says where its two ends come from (createEvidence, deleteEvidence).";

pub(super) const CONVERT_SLACK: &str = "\
Examples:
  tenure convert slack export.zip
  tenure convert slack export.zip --domain old.example=new.example \\
          --missing people.csv
      People without an address are listed in people.csv: fill it in, then
  tenure convert slack export.zip --domain old.example=new.example \\
          --users people.csv --output with-people.jsonl
  tenure convert slack january.zip february.zip --only-recorded
      Two exports of one workspace; stints of which an end is a guess are left out.";

pub(super) const CONVERT_MATTERMOST: &str = "\
Examples:
  tenure convert mattermost history.csv export.zip
      The table ChannelMemberHistory, and the bulk export last.
  tenure convert mattermost export.jsonl --users people.csv

docs/converting.md has the query that makes the table: it alone knows every stint.";

pub(super) const CONVERT_TEAMS: &str = "\
Examples:
  tenure convert teams answers/
      A folder of Microsoft Graph's answers, each saved as it came.
  tenure convert teams answers/ --dms --meetings

docs/converting.md says what to ask Microsoft Graph for.";

pub(super) const CONVERT_ZULIP: &str = "\
Examples:
  tenure convert zulip zulip-export.tar.gz
  tenure convert zulip zulip-export/ --only-recorded
      Only what the audit log has; stints of which an end is a guess are left out.";

pub(super) const CONVERT_MATRIX: &str = "\
Examples:
  tenure convert matrix export-data-eva/ export-data-jonas/ \\
          --domain matrix.example=new.example
      What several people see of one server, together; @eva:matrix.example is eva@new.example.
  tenure convert matrix room.json --users people.csv";

pub(super) const CONVERT_ROCKETCHAT: &str = "\
Examples:
  tenure convert rocketchat dump/rocketchat/
      The folder of a mongodump.
  tenure convert rocketchat exported/ --users people.csv
      What mongoexport has written, a file for each collection.";

pub(super) const DOCTOR: &str = "\
Examples:
  tenure doctor memberships.csv --credentials key.json \\
          --impersonate admin@example.com
      Before the first import, and whenever one stops for reasons of its own.
  tenure doctor --probe --credentials key.json --impersonate admin@example.com
      What Google does not document, a throwaway space tells.";

pub(super) const LOGIN: &str = "\
Examples:
  tenure login --client-secrets client_secrets.json
  tenure login --client-secrets client_secrets.json --port 8090 --no-browser
      On a machine without a browser; from one that has one, forward the port:
      ssh -L 8090:127.0.0.1:8090 HOST

The file comes from the Cloud console: APIs & Services > Credentials > Create credentials > OAuth client ID > \
Desktop app > Download JSON.";

pub(super) const LOGOUT: &str = "\
Examples:
  tenure logout
  tenure logout other-login.json";

pub(super) const EMULATOR: &str = "\
Examples:
  tenure emulator --port 8085 --write-key key.json --any-space \\
          --fault error-after=0.05
      In one terminal; in another:
  tenure import memberships.csv --endpoint http://127.0.0.1:8085/ \\
          --credentials key.json --impersonate admin@example.com
  tenure emulator --writes-per-minute 60 --quota bucket --retry-info
      A small quota, counted otherwise.

Addresses that end in .invalid have no account; every other address has one.";

pub(super) const CONFIG: &str = "\
Examples:
  tenure config
      What holds here, and where each value comes from.
  tenure config memberships.csv.journal.db
      With what this journal remembers.
  tenure config --all --json

Every option can be set in three ways. What is typed comes first, then the environment \
(TENURE_WRITES_PER_MINUTE=600), then the file tenure.toml (writes-per-minute = 600), then what the journal remembers, \
then the default. The file is looked for beside the journal, then in the current folder; --config names another. \
An option that belongs to one command has the command before its name: TENURE_EMULATOR_PORT, and in the file \
under [command.emulator]. Secrets do not belong in the file: it names the files that hold them.";

pub(super) const COMPLETIONS: &str = "\
Examples:
  tenure completions bash > ~/.local/share/bash-completion/completions/tenure
  tenure completions zsh > ~/.zfunc/_tenure
  tenure completions fish > ~/.config/fish/completions/tenure.fish";

pub(super) const MAN: &str = "\
Examples:
  tenure man | man -l -
  tenure man spaces create
      The page of one command.
  tenure man --output ~/.local/share/man/man1
      Every page: tenure.1, tenure-import.1 and so on.";

pub(super) const REFERENCE: &str = "\
Examples:
  tenure reference > docs/cli.md";
