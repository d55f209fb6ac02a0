//! `tenure members`: one call of the API each, for looking and for repairs.

use comfy_table::{Table, presets};
use serde_json::Value;

use super::connect::{Connection, explain};
use super::{Usage, note, print, print_on, tell};
use crate::chat::{Access, Answer, Call, Cause, Failure, Listing, Membership};
use crate::cli::{MemberNameArgs, MembersCommand};
use crate::exit::Exit;
use crate::input::Becoming;
use crate::model::{MemberName, MembershipName, Role, SpaceName, Span, Timestamp};
use crate::settings::Settings;
use crate::wording::many;

pub(super) async fn run(command: MembersCommand) -> anyhow::Result<Exit> {
    match command {
        MembersCommand::Create(args) => {
            let settings = Settings::default().connected(&args.connection)?;
            let space = space(&args.space)?;
            let member = MemberName::parse(&args.member)
                .map_err(|error| Usage(format!("{:?}: {error}", args.member)))?;
            let span = Span { create_time: args.create_time, delete_time: args.delete_time };
            fits(settings.access, span)?;
            if let Becoming::Today(cannot_join) = settings.becoming(false)
                && let Some(reason) = cannot_join(&member)
            {
                anyhow::bail!("{member} was not added: {reason}");
            }
            let connection = Connection::open(&settings).await?;
            let what = format!("{member} was not added to {space}");
            let call = Call::CreateMember { space: space.clone(), member, span };
            match connection.caller.call(call).await {
                Ok(answer) => show(&answer, args.json, "created"),
                Err(failure) => Err(match cause(&failure) {
                    Some(Cause::Exists) => {
                        explain(&what, &failure, Some(exists(connection.caller.access(), &space)))
                    }
                    _ => connection.explain(&what, &failure),
                }),
            }
        }
        MembersCommand::Get(args) => {
            let name = name(&args.name)?;
            let connection = open(&args.connection).await?;
            match connection.caller.call(Call::GetMember(name.clone())).await {
                Ok(answer) => show(&answer, args.json, ""),
                Err(failure) => Err(refused(&connection, &name.to_string(), &name, &failure)),
            }
        }
        MembersCommand::Patch(args) => {
            let name = name(&args.name)?;
            let connection = open(&args.connection).await?;
            match connection.caller.call(Call::PatchMember(name.clone(), args.role)).await {
                Ok(answer) => show(&answer, args.json, "changed"),
                Err(failure) => {
                    let what = format!("{name} was not changed");
                    // Whoever is promoted is not the one who steps down.
                    Err(match args.role {
                        Role::Manager => refused(&connection, &what, &name, &failure),
                        _ => managed(&connection, &what, &name, &failure),
                    })
                }
            }
        }
        MembersCommand::Delete(args) => {
            let name = name(&args.name)?;
            let connection = open(&args.connection).await?;
            if connection.caller.access() == Access::Import && !args.all_stints {
                one_stint(&connection, &name).await?;
            }
            match connection.caller.call(Call::DeleteMember(name.clone())).await {
                Ok(Answer::Deleted(None)) => {
                    let text = if args.json { "{}\n".to_owned() } else { format!("deleted   {name}\n") };
                    print(&text)?;
                    Ok(Exit::Done)
                }
                Ok(answer) => show(&answer, args.json, "deleted"),
                Err(failure) => {
                    Err(managed(&connection, &format!("{name} was not deleted"), &name, &failure))
                }
            }
        }
        MembersCommand::List(args) => {
            let space = space(&args.space)?;
            let connection = open(&args.connection).await?;
            let listing = Listing {
                page_size: args.page_size,
                filter: args.filter,
                groups: args.show_groups,
                invited: args.show_invited,
            };
            list(&connection, &space, listing, args.json).await
        }
    }
}

async fn open(connection: &crate::cli::ConnectionArgs) -> anyhow::Result<Connection> {
    Connection::open(&Settings::default().connected(connection)?).await
}

fn space(text: &str) -> Result<SpaceName, Usage> {
    SpaceName::parse(text).map_err(|error| Usage(format!("{text:?}: {error}")))
}

/// `spaces/S/members/M`, or the space and the member.
fn name(args: &MemberNameArgs) -> Result<MembershipName, Usage> {
    let (text, parsed) = match args.name.as_slice() {
        [name] => (name.clone(), MembershipName::parse(name)),
        [space, member] => (format!("{space} {member}"), MembershipName::in_space(space, member)),
        names => (names.join(" "), MembershipName::parse("")),
    };
    parsed.map_err(|error| {
        Usage(format!("{text:?}: {error}; write spaces/S/members/M, or the space and the member"))
    })
}

/// Whether times and capacity go together.
fn fits(access: Access, span: Span) -> Result<(), Usage> {
    let (in_import_mode, times) = (access == Access::Import, span != Span::default());
    match (in_import_mode, times) {
        (true, _) if span.delete_time.is_none() => Err(Usage(
            "a space in import mode takes memberships that have ended: give --delete-time; once it is completed, add \
             --standard-spaces"
                .to_owned(),
        )),
        (false, true) => Err(Usage(
            "--create-time and --delete-time are for spaces in import mode: leave --standard-spaces, --admin-access and \
             --as-app away, or the times"
                .to_owned(),
        )),
        _ => Ok(()),
    }
}

fn cause(failure: &Failure) -> Option<Cause> {
    match failure {
        Failure::Refused(refusal) => Some(refusal.cause()),
        _ => None,
    }
}

/// What a 409 means.
fn exists(access: Access, space: &SpaceName) -> String {
    match access {
        Access::Import => format!(
            "there is a membership of theirs already: this very one, or another stint (tenure members list {space})"
        ),
        _ => "they are a member already, perhaps through a Google Group".to_owned(),
    }
}

/// A refusal that may be about a membership that does not exist, or cannot be changed.
fn refused(connection: &Connection, what: &str, name: &MembershipName, failure: &Failure) -> anyhow::Error {
    let (space, switch) = (name.space(), switch(connection));
    let remedy = match (cause(failure), connection.caller.access()) {
        (Some(Cause::NotFound), _) => format!("who is a member: tenure members list {space}{switch}"),
        // Guide: import-data.
        (Some(Cause::Precondition), Access::Import) => {
            "a membership that has ended has no role to change: roles are for members of today, once the space is \
             completed (--standard-spaces)"
                .to_owned()
        }
        _ => return connection.explain(what, failure),
    };
    explain(what, failure, Some(remedy))
}

/// A refusal that may be about the only manager of a space. What Chat says then is documented nowhere, so every refusal
/// that speaks of managers is taken for one, and one that speaks of a state that does not allow it may be.
fn managed(connection: &Connection, what: &str, name: &MembershipName, failure: &Failure) -> anyhow::Error {
    let Failure::Refused(refusal) = failure else { return connection.explain(what, failure) };
    let says_so = refusal.message.to_lowercase().contains("manager");
    let may_be = refusal.cause() == Cause::Precondition && connection.caller.access() != Access::Import;
    if !says_so && !may_be {
        return refused(connection, what, name, failure);
    }
    let (space, switch) = (name.space(), switch(connection));
    let mut remedy = format!(
        "the only manager of a space cannot go or step down, and only a manager removes managers: promote somebody first \
         (tenure members patch {space} MEMBER --role ROLE_MANAGER{switch})"
    );
    if let Some(other) = connection.setup().of_refusal(refusal).filter(|_| !says_so) {
        remedy += &format!("; or, {other}");
    }
    explain(what, failure, Some(remedy))
}

/// What the same capacity is typed like, with a space before it.
fn switch(connection: &Connection) -> &'static str {
    match connection.caller.access() {
        Access::Import => "",
        Access::User => " --standard-spaces",
        Access::Admin => " --admin-access",
        Access::App => " --as-app",
    }
}

/// A membership: the resource for scripts, a line for people.
fn show(answer: &Answer, json: bool, done: &str) -> anyhow::Result<Exit> {
    let membership = match answer {
        Answer::Member(membership) | Answer::Deleted(Some(membership)) => membership,
        _ => anyhow::bail!("the answer belongs to another call"),
    };
    let text = if json { line_of(membership) } else { sentence(membership, done) };
    print(&text)?;
    Ok(Exit::Done)
}

fn line_of(membership: &Membership) -> String {
    // In one line, however Chat has laid it out.
    match serde_json::from_str::<Value>(&membership.resource) {
        Ok(resource) => format!("{resource}\n"),
        Err(_) => format!("{}\n", membership.resource),
    }
}

fn sentence(membership: &Membership, done: &str) -> String {
    let mut lines = vec![("name", membership.name.clone())];
    lines.push(("member", membership.holder().unwrap_or_default().to_owned()));
    lines.push(("state", membership.state.clone()));
    lines.push(("role", membership.role.clone()));
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    lines.push(("createTime", time(membership.span.create_time)));
    lines.push(("deleteTime", time(membership.span.delete_time)));
    let mut text = if done.is_empty() { String::new() } else { format!("{done}\n") };
    for (name, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
        text += &format!("{name:<11} {value}\n");
    }
    if membership.state == "INVITED" {
        text += "They are invited, and become a member when they accept.\n";
    }
    text
}

/// In import mode one name stands for every stint of a member; what deleting it does to the others, Google does not
/// document. So it is done only where there is one, or where somebody has said that all may go.
async fn one_stint(connection: &Connection, name: &MembershipName) -> anyhow::Result<()> {
    let what = format!("{name} was not deleted");
    if name.member().contains('@') {
        anyhow::bail!(
            "{what}: in import mode a name stands for every stint of a member, and lists show ids, never addresses: look \
             (tenure members list {}), then give the id, or say --all-stints",
            name.space()
        );
    }
    let mut stints = Vec::new();
    let mut page_token = None;
    loop {
        let call = Call::ListMembers { space: name.space().clone(), listing: Listing::whole(), page_token };
        let page = match connection.caller.call(call).await {
            Ok(Answer::Members(page)) => page,
            Ok(_) => anyhow::bail!("the answer belongs to another call"),
            Err(failure) => return Err(connection.explain(&what, &failure)),
        };
        let full = name.to_string();
        stints.extend(
            page.memberships.iter().filter(|held| held.name == full).map(|held| held.span.to_string()),
        );
        page_token = page.next_page_token;
        if page_token.is_none() {
            break;
        }
    }
    if stints.len() > 1 {
        anyhow::bail!(
            "{what}: it stands for {} stints, and all may go ({}); if that is meant, say --all-stints",
            stints.len(),
            stints.join(", ")
        );
    }
    Ok(())
}

/// Every page: resources as they come, or a table at the end.
async fn list(
    connection: &Connection,
    space: &SpaceName,
    listing: Listing,
    json: bool,
) -> anyhow::Result<Exit> {
    let mut page_token = None;
    let mut seen = Vec::new();
    let mut count = 0;
    loop {
        let call = Call::ListMembers { space: space.clone(), listing: listing.clone(), page_token };
        let page = match connection.caller.call(call).await {
            Ok(Answer::Members(page)) => page,
            Ok(_) => anyhow::bail!("the answer belongs to another call"),
            Err(failure) => return Err(connection.explain(&format!("{space} cannot be listed"), &failure)),
        };
        count += page.memberships.len() as u64;
        if json {
            if !print_on(&page.memberships.iter().map(line_of).collect::<String>())? {
                return Ok(Exit::Done);
            }
        } else {
            seen.extend(page.memberships.iter().map(Line::of));
        }
        page_token = page.next_page_token;
        if page_token.is_none() {
            break;
        }
    }
    if !seen.is_empty() {
        tell(&table(&seen))?;
    }
    note(&format!("{} in {space}", many(count, "membership")));
    Ok(Exit::Done)
}

/// A membership as the table shows it.
struct Line([String; 6]);

const COLUMNS: [&str; 6] = ["MEMBER", "TYPE", "ROLE", "STATE", "CREATETIME", "DELETETIME"];

impl Line {
    fn of(membership: &Membership) -> Line {
        let kind = if membership.group.is_some() { "GROUP" } else { &membership.kind };
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
        Line([
            membership.holder().unwrap_or(&membership.name).to_owned(),
            kind.to_owned(),
            membership.role.clone(),
            membership.state.clone(),
            time(membership.span.create_time),
            time(membership.span.delete_time),
        ])
    }
}

/// Columns in which something stands.
fn table(lines: &[Line]) -> String {
    let used: Vec<usize> =
        (0..COLUMNS.len()).filter(|column| lines.iter().any(|line| !line.0[*column].is_empty())).collect();
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(used.iter().map(|column| COLUMNS[*column]));
    for line in lines {
        table.add_row(used.iter().map(|column| line.0[*column].as_str()));
    }
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
