//! How arguments are typed: their names, with words for the values.

use clap::Arg;

/// As it stands in a list of options: `-o, --output FILE`, `INPUT...`.
pub(super) fn typed(arg: &Arg) -> String {
    let value = values(arg).unwrap_or_default();
    match (arg.get_short(), arg.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long} {value}"),
        (None, Some(long)) => format!("--{long} {value}"),
        _ => value,
    }
    .trim_end()
    .to_owned()
}

/// Words for what follows it, if anything does: `FILE`, `INPUT...` where it may be several, `[KIND]` where it may be
/// left out.
pub(super) fn values(arg: &Arg) -> Option<String> {
    if !arg.get_action().takes_values() {
        return None;
    }
    let (names, count) = (arg.get_value_names()?, arg.get_num_args().unwrap_or_default());
    let word = |(place, name): (usize, &clap::builder::Str)| {
        if place < count.min_values() { name.to_string() } else { format!("[{name}]") }
    };
    let words: Vec<String> = names.iter().enumerate().map(word).collect();
    let more = if count.max_values() > names.len() { "..." } else { "" };
    Some(format!("{}{more}", words.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ArgAction;

    #[test]
    fn names_and_values() {
        let of = |arg: Arg| {
            let mut command = clap::Command::new("x").arg(arg.id("arg"));
            command.build();
            command.get_arguments().find(|arg| arg.get_id() == "arg").map(typed)
        };
        for (arg, shown) in [
            (Arg::new("a").long("output").short('o').value_name("FILE"), "-o, --output FILE"),
            (Arg::new("a").long("json").action(ArgAction::SetTrue), "--json"),
            (
                Arg::new("a").long("domain").value_name("OLD=NEW").action(ArgAction::Append),
                "--domain OLD=NEW",
            ),
            (Arg::new("a").long("retry").value_name("KIND").num_args(0..=1), "--retry [KIND]"),
            (Arg::new("a").value_name("INPUT").num_args(1..), "INPUT..."),
            (Arg::new("a").value_name("JOURNAL"), "JOURNAL"),
            (Arg::new("a").value_names(["NAME", "MEMBER"]).num_args(1..=2), "NAME [MEMBER]"),
        ] {
            assert_eq!(of(arg).as_deref(), Some(shown));
        }
    }
}
