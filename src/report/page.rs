//! The page as a whole: its head, what stands at the top, and the sections below.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Figures;
use super::html::{Addresses, Html};
use super::sections::{checks, course, refused, settings, spaces, summary, years};
use super::wording::{Words, minute};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// What tells a page of this program from everybody else's.
const GENERATOR: &str = "tenure report";

/// Whether a file that begins like this is a page that this program has written.
pub fn is_page(beginning: &str) -> bool {
    let mut head = Html::new(Addresses::Shown);
    head.doctype();
    head.tag("html", &[("lang", &"en")]);
    head.tag("head", &[]);
    mark(&mut head);
    beginning.starts_with(&head.finish())
}

/// What each page begins with.
fn mark(head: &mut Html) {
    head.tag("meta", &[("charset", &"utf-8")]);
    head.tag("meta", &[("name", &"generator"), ("content", &GENERATOR)]);
}

/// The page that shows these figures.
pub fn page(figures: &Figures, addresses: Addresses) -> String {
    let words = Words::of(figures.undertaking);
    let words = if figures.is_rehearsal() { words.rehearsed() } else { words };
    let mut body = Html::new(addresses);
    let sections: [fn(&mut Html, &Figures, Words); 7] = [
        summary::write,
        refused::write,
        course::write,
        years::write,
        checks::write,
        settings::write,
        spaces::write,
    ];
    for section in sections {
        section(&mut body, figures, words);
    }
    let mut page = Html::new(addresses);
    page.doctype();
    page.element("html", &[("lang", &"en")], |page| {
        page.element("head", &[], |page| head(page, words));
        page.element("body", &[], |page| {
            page.element("main", &[], |page| {
                let names_people = body.names_people();
                page.append(body);
                page.element("footer", &[], |page| foot(page, figures, names_people));
            });
            page.asset("script", SCRIPT);
        });
    });
    page.finish()
}

fn head(page: &mut Html, words: Words) {
    mark(page);
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    page.tag("meta", &[("http-equiv", &"Content-Security-Policy"), ("content", &policy)]);
    page.tag("meta", &[("name", &"viewport"), ("content", &"width=device-width, initial-scale=1")]);
    page.tag("meta", &[("name", &"color-scheme"), ("content", &"light dark")]);
    page.tag("meta", &[("name", &"referrer"), ("content", &"no-referrer")]);
    page.leaf("title", &[], words.heading);
    page.asset("style", STYLE);
}

/// A source as a policy names it (CSP 3, 2.3.1: hash-source).
fn hash(source: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, source.as_bytes());
    format!("sha256-{}", STANDARD.encode(digest))
}

fn foot(page: &mut Html, figures: &Figures, names_people: bool) {
    page.element("p", &[], |page| match page.addresses() {
        _ if names_people => {
            page.text(
                "This page names people by their e-mail addresses. Pass it on to those only who may know them, or make \
                 one without: ",
            );
            page.leaf("code", &[], "tenure report --no-addresses");
        }
        Addresses::LeftOut => page.text("People's addresses were left out of this page."),
        Addresses::Shown => page.text("This page holds no e-mail address."),
    });
    page.element("p", &[], |page| {
        page.text(format!("Written by tenure {} from ", env!("CARGO_PKG_VERSION")));
        page.name(&figures.journal);
        if let Some(at) = figures.at {
            page.text(format!(" as it was on {}", minute(at)));
        }
        page.text(
            ". All times are UTC. The page is complete in itself: it loads nothing, and sends nothing.",
        );
    });
}
