//! The arguments of `tenure members`.

use clap::{Args, Subcommand};

use super::parse::{role, time};
use super::{ConnectionArgs, examples};
use crate::chat::PAGE_SIZE_MAX;
use crate::model::{Role, Timestamp};

/// `tenure members ...`.
#[derive(Debug, Subcommand)]
pub enum MembersCommand {
    /// Make somebody a member: spaces.members.create
    #[command(after_long_help = examples::MEMBERS_CREATE)]
    Create(MembersCreateArgs),
    /// Show one membership: spaces.members.get
    #[command(after_long_help = examples::MEMBERS_GET)]
    Get(MembersGetArgs),
    /// Show all memberships of a space: spaces.members.list, to the last page
    #[command(after_long_help = examples::MEMBERS_LIST)]
    List(MembersListArgs),
    /// Change a role: spaces.members.patch
    #[command(after_long_help = examples::MEMBERS_PATCH)]
    Patch(MembersPatchArgs),
    /// Remove somebody: spaces.members.delete
    #[command(after_long_help = examples::MEMBERS_DELETE)]
    Delete(MembersDeleteArgs),
}

/// Which membership.
#[derive(Debug, Args)]
pub struct MemberNameArgs {
    /// spaces/SPACE/members/MEMBER, or the space and the member: an id, an e-mail address, or app
    #[arg(required = true, num_args = 1..=2, value_names = ["NAME", "MEMBER"])]
    pub name: Vec<String>,
}

/// `tenure members create`.
#[derive(Debug, Args)]
pub struct MembersCreateArgs {
    /// The space: spaces/AAAA, or its bare id
    #[arg(value_name = "SPACE")]
    pub space: String,
    /// Who: an e-mail address, users/{id or e-mail}, groups/{id}, or users/app
    #[arg(value_name = "MEMBER")]
    pub member: String,
    /// When it began, in import mode (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Membership")]
    pub create_time: Option<Timestamp>,
    /// When it ended, in import mode (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Membership")]
    pub delete_time: Option<Timestamp>,
    /// Print the API's own resource, on one line
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Where to.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// `tenure members delete`.
#[derive(Debug, Args)]
pub struct MembersDeleteArgs {
    /// Which.
    #[command(flatten)]
    pub name: MemberNameArgs,
    /// In import mode: delete every stint that the name stands for
    #[arg(long, help_heading = "Membership")]
    pub all_stints: bool,
    /// Print the API's own resource, on one line
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Where to.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// `tenure members get`.
#[derive(Debug, Args)]
pub struct MembersGetArgs {
    /// Which.
    #[command(flatten)]
    pub name: MemberNameArgs,
    /// Print the API's own resource, on one line
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Where to.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// `tenure members list`.
#[derive(Debug, Args)]
pub struct MembersListArgs {
    /// The space: spaces/AAAA, or its bare id
    #[arg(value_name = "SPACE")]
    pub space: String,
    /// Memberships a page
    #[arg(
        long,
        value_name = "N",
        default_value_t = PAGE_SIZE_MAX,
        value_parser = clap::value_parser!(u32).range(1..=1000),
        help_heading = "Selection"
    )]
    pub page_size: u32,
    /// Google's filter, e.g. 'role = "ROLE_MANAGER"' or 'member.type != "BOT"'
    #[arg(long, value_name = "FILTER", help_heading = "Selection")]
    pub filter: Option<String>,
    /// Google Groups too
    #[arg(long, help_heading = "Selection")]
    pub show_groups: bool,
    /// People too who are invited and have not come yet
    #[arg(long, help_heading = "Selection")]
    pub show_invited: bool,
    /// Print the API's own resources, one a line
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Where to.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// `tenure members patch`.
#[derive(Debug, Args)]
pub struct MembersPatchArgs {
    /// Which.
    #[command(flatten)]
    pub name: MemberNameArgs,
    /// The new role: ROLE_MEMBER, ROLE_MANAGER (the owner) or ROLE_ASSISTANT_MANAGER (a manager)
    #[arg(long, value_name = "ROLE", value_parser = role, help_heading = "Membership")]
    pub role: Role,
    /// What is changed; the API knows nothing else
    #[arg(long, value_name = "FIELDS", default_value = "role", value_parser = ["role"], help_heading = "Membership")]
    pub update_mask: String,
    /// Print the API's own resource, on one line
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Where to.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}
