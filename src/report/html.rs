//! HTML by construction. Elements open and close together; their names and those of attributes are this program's own, and
//! whatever else is written goes through one place that escapes it.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};

use crate::wording::harmless;

/// What stands in the place of an address that is left out.
const LEFT_OUT: &str = "[address]";

/// What becomes of people's addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// They are written as they are.
    Shown,
    /// Something else stands in their place.
    LeftOut,
}

/// The attributes of an element.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a dyn Display)];

/// HTML that is being written.
#[derive(Debug)]
pub(super) struct Html {
    text: String,
    addresses: Addresses,
    /// Whether an address was written.
    names_people: bool,
}

impl Html {
    pub(super) fn new(addresses: Addresses) -> Html {
        Html { text: String::new(), addresses, names_people: false }
    }

    /// An element and what is in it.
    pub(super) fn element(
        &mut self,
        tag: &'static str,
        attributes: Attributes<'_>,
        inner: impl FnOnce(&mut Html),
    ) {
        self.tag(tag, attributes);
        inner(self);
        self.text += "</";
        self.text += tag;
        self.text.push('>');
    }

    /// An element with nothing but text in it.
    pub(super) fn leaf(&mut self, tag: &'static str, attributes: Attributes<'_>, text: impl Display) {
        self.element(tag, attributes, |html| html.text(text));
    }

    /// The opening tag of an element, which is all there is of a `meta` or an `input`.
    pub(super) fn tag(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.text.push('<');
        self.text += tag;
        for &(name, value) in attributes {
            self.text.push(' ');
            self.text += name;
            self.text += "=\"";
            self.text(value);
            self.text.push('"');
        }
        self.text.push('>');
    }

    /// Text of any origin.
    pub(super) fn text(&mut self, text: impl Display) {
        let text = text.to_string();
        let text = harmless(&text);
        let text = if text.contains('@') { self.of_people(text) } else { text };
        for c in text.chars() {
            match c {
                '&' => self.text += "&amp;",
                '<' => self.text += "&lt;",
                '>' => self.text += "&gt;",
                '"' => self.text += "&quot;",
                '\'' => self.text += "&#39;",
                c => self.text.push(c),
            }
        }
    }

    /// A name of any origin: whichever way it is written, what stands around it keeps its order.
    pub(super) fn name(&mut self, name: impl Display) {
        self.leaf("bdi", &[], name);
    }

    /// What a page begins with.
    pub(super) fn doctype(&mut self) {
        self.text += "<!doctype html>\n";
    }

    /// A style sheet or a script of this program's own, as it is.
    pub(super) fn asset(&mut self, tag: &'static str, source: &'static str) {
        let _ = write!(self.text, "<{tag}>{source}</{tag}>");
    }

    /// How long it is, in bytes.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// A piece that was written before.
    pub(super) fn append(&mut self, piece: Html) {
        self.text += &piece.text;
        self.names_people |= piece.names_people;
    }

    /// Whether an address was written.
    pub(super) fn names_people(&self) -> bool {
        self.names_people
    }

    pub(super) fn addresses(&self) -> Addresses {
        self.addresses
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// The text as it may be shown, and whether anybody is named.
    fn of_people<'t>(&mut self, text: Cow<'t, str>) -> Cow<'t, str> {
        let masked = masked(&text);
        if masked == text {
            return text;
        }
        match self.addresses {
            Addresses::LeftOut => masked.into(),
            Addresses::Shown => {
                self.names_people = true;
                text
            }
        }
    }
}

/// The text without its addresses: whatever has an `@` with something on both sides of it.
fn masked(text: &str) -> String {
    let parts = |c: char| {
        c.is_whitespace()
            || matches!(c, '"' | '\'' | '`' | '<' | '>' | '(' | ')' | ',' | ';' | ':' | '/' | '\\')
    };
    let is_address = |word: &str| word.trim_matches('@').contains('@');
    text.split_inclusive(parts)
        .map(|piece| {
            let word = piece.trim_end_matches(parts);
            if is_address(word) { piece.replace(word, LEFT_OUT) } else { piece.to_owned() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(addresses: Addresses, text: &str) -> String {
        let mut html = Html::new(addresses);
        html.leaf("p", &[("title", &text)], text);
        html.finish()
    }

    #[test]
    fn nothing_gets_out_of_its_place() {
        assert_eq!(
            shown(Addresses::Shown, "\"><script>alert('x')</script>&amp;"),
            "<p title=\"&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;\">\
             &quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;</p>"
        );
        assert_eq!(
            shown(Addresses::Shown, "a\u{202e}b\0"),
            r#"<p title="a\u202eb\u0000">a\u202eb\u0000</p>"#
        );
    }

    #[test]
    fn addresses_are_left_out() {
        for (text, left) in [
            ("users/maria@example.com, who", "users/[address], who"),
            ("\"a@b.c\"", "\"[address]\""),
            ("at 12 @ noon", "at 12 @ noon"),
            ("user:x@y", "user:[address]"),
            ("@", "@"),
        ] {
            assert_eq!(masked(text), left);
        }
        let mut html = Html::new(Addresses::Shown);
        html.text("noon");
        assert!(!html.names_people());
        html.text("x <a@b.c>");
        assert!(html.names_people());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(text in "\\PC{0,40}") {
            let written = shown(Addresses::Shown, &text);
            let inner = written.strip_suffix("</p>").unwrap().rsplit_once('>').unwrap().1;
            prop_assert!(!inner.contains(['<', '"', '\'']));
            let read = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
                .iter().fold(inner.to_owned(), |read, (from, to)| read.replace(from, to));
            prop_assert_eq!(read, harmless(&text));
        }

        #[test]
        fn no_address_is_left(text in "[a-c@/<,. ]{0,30}") {
            let left = masked(&text);
            let whole = left.replace(LEFT_OUT, "");
            let mut words = whole.split([' ', '/', '<', ',']);
            prop_assert!(!words.any(|word| word.trim_matches('@').contains('@')), "{}", left);
        }
    }
}
