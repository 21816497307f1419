//! The part of JSON Schema (draft 2020-12) that `docs/certificate.schema.json` uses; a keyword that
//! is not known here is a panic, so that nothing is skipped.
use maxmargin_kernel::claim::{Region, Scope};
use maxmargin_kernel::number::parse_rational;
use serde_json::Value;

/// Why the value does not fit; `None` if it does.
pub fn misfit(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    let rules = match schema {
        Value::Bool(true) => return None,
        Value::Bool(false) => return Some(format!("{value} is one too many")),
        Value::Object(rules) => rules,
        other => panic!("{other} is no schema"),
    };
    let no = |what: &str| Some(format!("{value:.200} {what}"));
    for (keyword, rule) in rules {
        let found = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => None,
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                misfit(root, &root["$defs"][name], value)
            }
            "type" => {
                let fits = match rule.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "null" => value.is_null(),
                    other => panic!("type {other}"),
                };
                if fits { None } else { no("has another type") }
            }
            "const" => (rule != value).then(|| format!("{value} is not {rule}")),
            "enum" => {
                if rule.as_array().unwrap().contains(value) {
                    None
                } else {
                    no("is not listed")
                }
            }
            "anyOf" => {
                let all: Vec<_> =
                    rule.as_array().unwrap().iter().map(|s| misfit(root, s, value)).collect();
                let none = all.iter().all(Option::is_some);
                none.then(|| all.into_iter().flatten().collect::<Vec<_>>().join("; "))
            }
            "minimum" => {
                value.as_i64().zip(rule.as_i64()).filter(|(v, m)| v < m).and(no("is small"))
            }
            "maximum" => (value.as_u64() > rule.as_u64()).then(|| "is large".into()),
            "minItems" => {
                let count = value.as_array().map_or(0, Vec::len) as u64;
                if count < rule.as_u64().unwrap() { no("is short") } else { None }
            }
            "maxLength" => {
                let length = value.as_str().map_or(0, |t| t.chars().count()) as u64;
                if length > rule.as_u64().unwrap() { no("is long") } else { None }
            }
            "pattern" => {
                let text = value.as_str().unwrap_or("");
                let fits = match rule.as_str().unwrap() {
                    p if p.starts_with("^-?[0-9]+(/") => parse_rational(text).is_ok(),
                    p if p.starts_with("^(all") => text.parse::<Scope>().is_ok(),
                    p if p.starts_with("^(cell") => text.parse::<Region>().is_ok(),
                    other => panic!("pattern {other}"),
                };
                if fits { None } else { no("does not match") }
            }
            "required" => {
                let absent = |key: &&Value| value.get(key.as_str().unwrap()).is_none();
                rule.as_array().unwrap().iter().find(absent).and_then(|k| no(&format!("lacks {k}")))
            }
            "properties" => value.as_object().and_then(|map| {
                let of =
                    |(key, v): (&String, &Value)| rule.get(key).and_then(|s| misfit(root, s, v));
                map.iter().find_map(of)
            }),
            "additionalProperties" => {
                assert_eq!(rule, &Value::Bool(false));
                let known = |key: &String| rules["properties"].get(key).is_some();
                let other = value.as_object().and_then(|map| map.keys().find(|k| !known(k)));
                other.and_then(|key| no(&format!("has the unknown key {key}")))
            }
            "prefixItems" => value.as_array().and_then(|list| {
                let schemas = rule.as_array().unwrap();
                list.iter().zip(schemas).find_map(|(v, s)| misfit(root, s, v))
            }),
            "items" => value.as_array().and_then(|list| {
                let first = rules.get("prefixItems").and_then(Value::as_array).map_or(0, Vec::len);
                list.iter().skip(first).find_map(|v| misfit(root, rule, v))
            }),
            other => panic!("keyword {other}"),
        };
        if found.is_some() {
            return found;
        }
    }
    None
}
