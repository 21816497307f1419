//! JSON that keeps the order and the text of everything, so that a mutant differs from its
//! original in one place only.
use maxmargin_kernel::network::NetworkJson;
use maxmargin_kernel::problem::{DataJson, Problem};

/// A value.
#[derive(Clone, Debug)]
pub enum Json {
    Object(Vec<(String, Json)>),
    List(Vec<Json>),
    /// A number, a word, or a string with its quotes.
    Atom(String),
}

impl Json {
    /// Reads what the kernel writes: no white space, no escapes.
    pub fn parse(text: &str) -> Self {
        let mut rest = text.trim();
        let value = Self::value(&mut rest);
        assert!(rest.is_empty(), "{rest}");
        value
    }

    fn value(rest: &mut &str) -> Self {
        match rest.as_bytes()[0] {
            b'{' => {
                let mut members = Vec::new();
                while !rest.starts_with('}') {
                    *rest = &rest[1..];
                    if rest.starts_with('}') {
                        break;
                    }
                    let key = Self::atom(rest);
                    assert!(rest.starts_with(':'), "{rest}");
                    *rest = &rest[1..];
                    members.push((key, Self::value(rest)));
                }
                *rest = &rest[1..];
                Self::Object(members)
            }
            b'[' => {
                let mut entries = Vec::new();
                while !rest.starts_with(']') {
                    *rest = &rest[1..];
                    if rest.starts_with(']') {
                        break;
                    }
                    entries.push(Self::value(rest));
                }
                *rest = &rest[1..];
                Self::List(entries)
            }
            _ => Self::Atom(Self::atom(rest)),
        }
    }

    fn atom<'t>(rest: &mut &'t str) -> String {
        let end = match rest.strip_prefix('"') {
            Some(inner) => inner.find('"').unwrap() + 2,
            None => rest.find([',', ']', '}']).unwrap_or(rest.len()),
        };
        let (atom, after): (&'t str, &'t str) = rest.split_at(end);
        *rest = after;
        atom.to_string()
    }

    /// The text.
    pub fn text(&self) -> String {
        match self {
            Self::Object(members) => {
                let member = |(key, value): &(String, Self)| format!("{key}:{}", value.text());
                format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
            }
            Self::List(entries) => {
                format!("[{}]", entries.iter().map(Self::text).collect::<Vec<_>>().join(","))
            }
            Self::Atom(text) => text.clone(),
        }
    }

    /// The value at a path of positions.
    pub fn at(&mut self, path: &[usize]) -> &mut Self {
        path.iter().fold(self, |value, n| match value {
            Self::Object(members) => &mut members[*n].1,
            Self::List(entries) => &mut entries[*n],
            Self::Atom(_) => unreachable!("a path ends at an atom"),
        })
    }

    /// The member of an object.
    pub fn member(&mut self, name: &str) -> Option<&mut Self> {
        let quoted = format!("\"{name}\"");
        match self {
            Self::Object(members) => {
                members.iter_mut().find(|(key, _)| *key == quoted).map(|(_, value)| value)
            }
            _ => None,
        }
    }
}

/// The problem embedded in a certificate.
pub fn problem(value: &serde_json::Value) -> Option<Problem> {
    let part = |name: &str| value["problem"][name].clone();
    let network: NetworkJson = serde_json::from_value(part("network")).ok()?;
    let data: DataJson = serde_json::from_value(part("data")).ok()?;
    Problem::new(network.to_network().ok()?, data.to_data().ok()?).ok()
}
