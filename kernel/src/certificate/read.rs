//! Reading a certificate while checking it: only what is open is in memory.
//!
//! Keys must come in the order of the format, so that nothing is parsed before what it depends on;
//! the nodes of a cover are checked one by one as they are read.
use super::{FORMAT, ProblemEntry, VERSION};
use crate::check::{Failure, Limit, Meter, Session};
use crate::claim::{Claim, LIMIT};
use crate::object::AsObject;
use crate::proof::cover::{CoverChecker, Node};
use crate::proof::dual_bound::{Cone, DualBoundChecker, Multipliers};
use crate::proof::layer_cover::{LayerCoverChecker, LayerMultipliers};
use crate::proof::{Refusal, kkt_residual::KktResidual, norm_bound::NormBound, point::Point};
use crate::proof::{
    convex_cell::ConvexCell,
    layer_cell::LayerCell,
    linear::Linear,
    local_cover,
    second_order::SecondOrder,
    width_tree::{WidthNode, WidthTreeChecker},
};
use crate::proof::{curve::Curve, descent::Descent, stationarity::Stationarity};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::io::{BufReader, Read};

/// Reads a certificate and checks it into `session`.
///
/// # Errors
/// [`Failure`]: the first thing that is wrong.
pub fn read(source: impl Read, session: &mut Session<'_>) -> Result<(), Failure> {
    let meter = session.meter();
    let source = BufReader::new(Metered { source, meter });
    let mut deserializer = serde_json::Deserializer::from_reader(source);
    let outcome =
        Document(session).deserialize(&mut deserializer).and_then(|()| deserializer.end());
    match (outcome, session.take_failure().or(meter.reached().map(Failure::Limit))) {
        (_, Some(failure)) => Err(failure),
        (Ok(()), None) => Ok(()),
        (Err(error), None) if error.is_eof() => Err(Failure::Truncated),
        (Err(error), None) if error.is_io() => Err(Failure::Io(error.to_string())),
        (Err(error), None) => {
            let text = error.to_string();
            Err(match text.strip_prefix(LIMIT) {
                Some(number) => Failure::Limit(Limit::Number(number.to_string())),
                None if text.starts_with("recursion limit exceeded") => {
                    Failure::Limit(Limit::Nesting)
                }
                None => Failure::Malformed(text),
            })
        }
    }
}

/// A source that stops at the limits of bytes and time.
struct Metered<'m, R> {
    source: R,
    meter: &'m Meter,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.meter.count_bytes(read).map_err(std::io::Error::other)?;
        Ok(read)
    }
}

/// Passes a typed failure through serde: kept in the session, announced as a parse error.
fn stop<E: Error>(session: &mut Session<'_>, failure: Failure) -> E {
    session.keep_failure(failure);
    E::custom("stopped")
}

fn key<'de, A: MapAccess<'de>>(map: &mut A, expected: &str) -> Result<(), A::Error> {
    match map.next_key::<String>()? {
        Some(found) if found == expected => Ok(()),
        Some(found) => {
            Err(Error::custom(format!("expected the key `{expected}`, found `{found}`")))
        }
        None => Err(Error::custom(format!("the key `{expected}` is missing"))),
    }
}

fn value<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    map: &mut A,
    expected: &str,
) -> Result<T, A::Error> {
    key(map, expected)?;
    map.next_value()
}

fn struct_value<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    map: &mut A,
    expected: &str,
) -> Result<T, A::Error> {
    value(map, expected).map(|AsObject(value)| value)
}

fn no_more<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    match map.next_key::<String>()? {
        None => Ok(()),
        Some(found) => Err(Error::custom(format!("unexpected key `{found}`"))),
    }
}

/// Implements a seed that reads a map (or a sequence) with access to some state.
macro_rules! seed {
    ($name:ident $(<$($life:lifetime),*>)?, $output:ty, $call:ident, $visit:ident, $access:ident, $what:literal) => {
        impl<'de> DeserializeSeed<'de> for $name $(<$($life),*>)? {
            type Value = $output;
            fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
                d.$call(self)
            }
        }
        impl<'de> Visitor<'de> for $name $(<$($life),*>)? {
            type Value = $output;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($what)
            }
            fn $visit<A: $access<'de>>(self, access: A) -> Result<Self::Value, A::Error> {
                self.run(access)
            }
        }
    };
}

struct Document<'s, 'p>(&'s mut Session<'p>);
struct Claims<'s, 'p>(&'s mut Session<'p>);
struct OneClaim<'s, 'p>(&'s mut Session<'p>);
struct OneProof<'s, 'p>(&'s mut Session<'p>, Claim);
struct Covers<'s, 'c, 'p>(&'s mut Session<'p>, &'c mut DualBoundChecker<'p>);
struct OneCover<'s, 'c, 'p>(&'s mut Session<'p>, &'c mut DualBoundChecker<'p>);
struct Branches<'s, 'c, 'p>(&'s mut Session<'p>, &'c mut WidthTreeChecker<'p>);
struct Nodes<'s, 'c, 'p>(&'s mut Session<'p>, &'c DualBoundChecker<'p>, &'c mut CoverChecker);

seed!(Document<'_, '_>, (), deserialize_map, visit_map, MapAccess, "a certificate");
seed!(Claims<'_, '_>, usize, deserialize_seq, visit_seq, SeqAccess, "a list of claims");
seed!(OneClaim<'_, '_>, (), deserialize_map, visit_map, MapAccess, "a claim with its proof");
seed!(OneProof<'_, '_>, (), deserialize_map, visit_map, MapAccess, "a proof");
seed!(Covers<'_, '_, '_>, (), deserialize_seq, visit_seq, SeqAccess, "a list of covers");
seed!(OneCover<'_, '_, '_>, (), deserialize_map, visit_map, MapAccess, "a cover");
seed!(Branches<'_, '_, '_>, (), deserialize_seq, visit_seq, SeqAccess, "a list of nodes");
seed!(Nodes<'_, '_, '_>, (), deserialize_seq, visit_seq, SeqAccess, "a list of nodes");

impl Document<'_, '_> {
    fn run<'de, A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(session) = self;
        let format: String = value(&mut map, "format")?;
        if format != FORMAT {
            return Err(stop(session, Failure::Format(format)));
        }
        let version: u32 = value(&mut map, "version")?;
        if version != VERSION {
            return Err(stop(session, Failure::Version(version)));
        }
        let problem: ProblemEntry = struct_value(&mut map, "problem")?;
        session.set_problem(&problem).map_err(|failure| stop(session, failure))?;
        key(&mut map, "claims")?;
        let count = map.next_value_seed(Claims(session))?;
        let end: usize = value(&mut map, "end")?;
        if end != count {
            return Err(stop(session, Failure::End { count, end }));
        }
        no_more(&mut map)
    }
}

impl Claims<'_, '_> {
    fn run<'de, A: SeqAccess<'de>>(self, mut list: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while list.next_element_seed(OneClaim(self.0))?.is_some() {
            count += 1;
        }
        if count == 0 {
            return Err(stop(self.0, Failure::NoClaims));
        }
        Ok(count)
    }
}

impl OneClaim<'_, '_> {
    fn run<'de, A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let claim: Claim = struct_value(&mut map, "claim")?;
        self.0.in_time().map_err(|failure| stop(self.0, failure))?;
        key(&mut map, "proof")?;
        map.next_value_seed(OneProof(self.0, claim))?;
        no_more(&mut map)
    }
}

impl OneProof<'_, '_> {
    fn run<'de, A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(session, claim) = self;
        let rule: String = value(&mut map, "rule")?;
        let Some(problem) = session.problem() else {
            return Err(stop(session, Failure::NoProblem));
        };
        let (rule, outcome): (&'static str, Result<usize, Refusal>) = match rule.as_str() {
            "stationarity" => {
                let witness = Stationarity::deserialize(MapAccessDeserializer::new(map))?;
                ("stationarity", witness.check(problem, &claim).map(|()| 0))
            }
            "descent" => {
                let witness = Descent::deserialize(MapAccessDeserializer::new(map))?;
                ("descent", witness.check(problem, &claim).map(|()| 0))
            }
            "curve" => {
                let witness = Curve::deserialize(MapAccessDeserializer::new(map))?;
                ("curve", witness.check(problem, &claim).map(|()| 0))
            }
            "convex_cell" => {
                let witness = ConvexCell::deserialize(MapAccessDeserializer::new(map))?;
                ("convex_cell", witness.check(problem, &claim).map(|()| 0))
            }
            "layer_cell" => {
                let witness = LayerCell::deserialize(MapAccessDeserializer::new(map))?;
                ("layer_cell", witness.check(problem, &claim).map(|()| 0))
            }
            "linear" => {
                let witness = Linear::deserialize(MapAccessDeserializer::new(map))?;
                ("linear", witness.check(problem, &claim).map(|()| 0))
            }
            "second_order" => {
                let witness = SecondOrder::deserialize(MapAccessDeserializer::new(map))?;
                ("second_order", witness.check(problem, &claim).map(|()| 0))
            }
            "local_cover" => {
                let multipliers: Multipliers = struct_value(&mut map, "multipliers")?;
                let checker = local_cover::checker(problem, &claim, multipliers);
                let outcome = covered(session, &claim, "local_cover", map, checker, |c| c)?;
                ("local_cover", outcome.and_then(|c| c.finish().map_err(Refusal::from)))
            }
            "layer_cover" => {
                let multipliers: LayerMultipliers = struct_value(&mut map, "multipliers")?;
                let checker = LayerCoverChecker::new(problem, &claim, multipliers);
                let outcome =
                    covered(session, &claim, "layer_cover", map, checker, |c| &mut c.covers)?;
                ("layer_cover", outcome.and_then(LayerCoverChecker::finish))
            }
            "width_tree" => {
                key(&mut map, "nodes")?;
                match WidthTreeChecker::new(problem, &claim) {
                    Err(refusal) => ("width_tree", Err(refusal)),
                    Ok(mut checker) => {
                        session.begin(&claim, "width_tree");
                        map.next_value_seed(Branches(session, &mut checker))?;
                        no_more(&mut map)?;
                        ("width_tree", checker.finish().map_err(Refusal::from))
                    }
                }
            }
            "kkt_residual" => {
                let witness = KktResidual::deserialize(MapAccessDeserializer::new(map))?;
                ("kkt_residual", witness.check(problem, &claim).map(|()| 0))
            }
            "norm_bound" => {
                let witness = NormBound::deserialize(MapAccessDeserializer::new(map))?;
                ("norm_bound", witness.check(problem, &claim).map(|()| 0))
            }
            "point" => {
                let witness = Point::deserialize(MapAccessDeserializer::new(map))?;
                ("point", witness.check(problem, &claim).map(|()| 0))
            }
            "dual_bound" => {
                let multipliers: Multipliers = struct_value(&mut map, "multipliers")?;
                let checker = DualBoundChecker::new(problem, &claim, multipliers);
                let outcome = covered(session, &claim, "dual_bound", map, checker, |c| c)?;
                ("dual_bound", outcome.and_then(|c| c.finish().map_err(Refusal::from)))
            }
            other => return Err(Error::custom(format!("there is no rule `{other}`"))),
        };
        session.begin(&claim, rule);
        match outcome {
            Ok(nodes) => {
                session.accept(claim, rule, nodes);
                Ok(())
            }
            Err(refusal) => {
                let failure = session.rejection(refusal);
                Err(stop(session, failure))
            }
        }
    }
}

/// Reads the covers of a proof whose multipliers have been read, up to the end of its map.
fn covered<'de, 'p, A: MapAccess<'de>, C>(
    session: &mut Session<'p>,
    claim: &Claim,
    rule: &'static str,
    mut map: A,
    checker: Result<C, Refusal>,
    covers: impl FnOnce(&mut C) -> &mut DualBoundChecker<'p>,
) -> Result<Result<C, Refusal>, A::Error> {
    let mut checker = match checker {
        Ok(checker) => checker,
        Err(refusal) => return Ok(Err(refusal)),
    };
    session.begin(claim, rule);
    key(&mut map, "covers")?;
    map.next_value_seed(Covers(session, covers(&mut checker)))?;
    no_more(&mut map)?;
    Ok(Ok(checker))
}

impl Covers<'_, '_, '_> {
    fn run<'de, A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(OneCover(self.0, self.1))?.is_some() {}
        Ok(())
    }
}

impl OneCover<'_, '_, '_> {
    fn run<'de, A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(session, checker) = self;
        let cone: Cone = struct_value(&mut map, "cone")?;
        let mut tree = match checker.begin_cover(cone) {
            Ok(tree) => tree,
            Err(error) => {
                let failure = session.rejection(error.into());
                return Err(stop(session, failure));
            }
        };
        key(&mut map, "nodes")?;
        map.next_value_seed(Nodes(session, checker, &mut tree))?;
        no_more(&mut map)?;
        checker.end_cover(tree).map_err(|error| {
            let failure = session.rejection(error.into());
            stop(session, failure)
        })
    }
}

impl Nodes<'_, '_, '_> {
    fn run<'de, A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self(session, checker, tree) = self;
        while let Some(node) = list.next_element::<Node>()? {
            if let Err(failure) = session.count_node() {
                return Err(stop(session, failure));
            }
            if let Err(error) = tree.node(&node) {
                let failure = session.rejection(checker.in_cover(error).into());
                return Err(stop(session, failure));
            }
        }
        Ok(())
    }
}

impl Branches<'_, '_, '_> {
    fn run<'de, A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self(session, checker) = self;
        while let Some(node) = list.next_element::<WidthNode>()? {
            // A leaf is held in memory whole; its cover nodes count like any others.
            let covers = match &node {
                WidthNode::Leaf(leaf) => leaf.covers.iter().map(|cover| cover.nodes.len()).sum(),
                _ => 0,
            };
            for _ in 0..=covers {
                if let Err(failure) = session.count_node() {
                    return Err(stop(session, failure));
                }
            }
            if let Err(refusal) = checker.node(&node) {
                let failure = session.rejection(refusal);
                return Err(stop(session, failure));
            }
        }
        Ok(())
    }
}
