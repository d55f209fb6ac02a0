//! `application/x-www-form-urlencoded`, as bodies and queries carry it.

use super::answer::Problem;

/// Parameters, each at most once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a form. Parameters without a value count as left out (RFC 6749, 3.1).
    ///
    /// # Errors
    /// `invalid_request` when a parameter is there twice.
    pub(super) fn parse(text: &[u8]) -> Result<Form, Problem> {
        let mut form = Form::default();
        for (name, value) in form_urlencoded::parse(text).filter(|(_, value)| !value.is_empty()) {
            if form.get(&name).is_some() {
                return Err(Problem::bad("invalid_request", "A parameter is given more than once."));
            }
            form.0.push((name.into_owned(), value.into_owned()));
        }
        Ok(form)
    }

    /// A parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that has to be there.
    ///
    /// # Errors
    /// `invalid_request`, which says what is missing.
    pub(super) fn need(&self, name: &str) -> Result<&str, Problem> {
        self.get(name).ok_or_else(|| Problem::bad("invalid_request", format!("{name} is missing.")))
    }
}
