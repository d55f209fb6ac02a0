//! What the environment says.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::Arg;

use super::fit::{self, Raw};
use super::{Given, Origin};
use crate::cli::{ConfigFileArgs, Name, PREFIX, variable};
use crate::input::suggest::is_near;

/// Variables that mean something and are no options.
const OTHERS: [&str; 4] = ["TENURE_LOG", "TENURE_SCOPE", "TENURE_CONFIG", "TENURE_NO_CONFIG"];

/// The variables whose names begin with `TENURE_`. Those that are empty count as not there.
#[derive(Debug, Default)]
pub struct Environment(BTreeMap<String, OsString>);

impl Environment {
    /// Of this process.
    pub fn of_process() -> Environment {
        Environment::of(
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))),
        )
    }

    /// Of any variables.
    pub fn of(variables: impl IntoIterator<Item = (String, OsString)>) -> Environment {
        let ours =
            variables.into_iter().filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty());
        Environment(ours.collect())
    }

    /// Whether nothing is set.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn text(&self, variable: &str) -> Option<Result<&str, String>> {
        let value = self.0.get(variable)?;
        Some(value.to_str().ok_or_else(|| format!("{variable}: its value is not text (UTF-8)")))
    }

    /// What is set, each once.
    pub(super) fn given(&self, known: &[(Name, &Arg)]) -> Result<Vec<Given>, Vec<String>> {
        let by_variable: BTreeMap<String, (&Name, &Arg)> =
            known.iter().map(|(name, arg)| (name.variable(), (name, *arg))).collect();
        let (mut given, mut problems) = (Vec::new(), Vec::new());
        for variable in self.0.keys() {
            let Some(&(name, arg)) = by_variable.get(variable) else {
                problems.extend(misspelt(variable, by_variable.keys()));
                continue;
            };
            let origin = Origin::Variable(variable.clone());
            let value = match self.text(variable) {
                Some(Ok(text)) => fit::values(arg, Raw::Text(text)),
                Some(Err(problem)) => {
                    problems.push(problem);
                    continue;
                }
                None => continue,
            };
            match value {
                Ok(values) => given.push(Given { name: name.clone(), values, origin }),
                Err(problem) => problems.push(format!("{variable}: {problem}")),
            }
        }
        if problems.is_empty() { Ok(given) } else { Err(problems) }
    }

    /// Where the file is, unless that is typed.
    pub(super) fn complete(&self, place: &mut ConfigFileArgs) -> Result<(), String> {
        if place.config.is_some() || place.no_config {
            return Ok(());
        }
        let no_config = variable("no-config");
        if let Some(text) = self.text(&no_config).transpose()? {
            place.no_config = fit::switch(text).map_err(|problem| format!("{no_config}: {problem}"))?;
        }
        if !place.no_config {
            place.config = self.0.get(&variable("config")).map(PathBuf::from);
        }
        Ok(())
    }
}

/// A name that is nearly one of ours is a slip, and a run at another pace than was meant. Others may be somebody else's.
fn misspelt<'a>(variable: &str, known: impl Iterator<Item = &'a String>) -> Option<String> {
    if OTHERS.contains(&variable) {
        return None;
    }
    let rest = variable.strip_prefix(PREFIX)?;
    let meant = known.filter_map(|known| known.strip_prefix(PREFIX)).find(|known| is_near(rest, known))?;
    Some(format!("{variable} is no setting: did you mean {PREFIX}{meant}? Rename it, or unset it"))
}
