//! What can be asked on the command line.
use super::diff::DiffArguments;
use super::generate::{CompletionsArguments, ManArguments};
use crate::prove::decide::Question;
use crate::report::layout::quoted;
use clap::{Args, Parser, Subcommand, ValueEnum};
use maxmargin_kernel::claim::{Region, Scope};
use maxmargin_kernel::network::Activation;
use maxmargin_kernel::number::{Rational, format_rational, parse_rational};
use std::path::{Path, PathBuf};

const AFTER: &str = "\
Exit codes:
   0  everything asked for is certified or verified
   1  a certificate was rejected
   2  malformed input
   3  the certificate speaks of another model or data set
   4  a limit was reached; what was proved by then is written
   5  something asked for is undecided; what was proved is written
   6  diff: the new certificate says less than the old
   7  --also-verified: the proved checker does not confirm the kernel
  64  usage
  70  internal error";

/// Is the point your training converged to optimal for the max-margin problem? With proof.
#[derive(Debug, Parser)]
#[command(name = "maxmargin", version, after_help = AFTER, max_term_width = 80)]
pub(super) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// No report and no progress: the exit code tells; errors and --json are still printed
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Report what is provable about a network on its training set, and write a certificate
    #[command(after_help = CERTIFY)]
    Certify(CertifyArguments),
    /// Move a network to the best point reachable across adjacent activation cells
    #[command(after_help = POLISH)]
    Polish(PolishArguments),
    /// Follow gradient flow on the exponential loss to the direction it converges to
    #[command(after_help = FLOW)]
    Flow(FlowArguments),
    /// Find a certified globally optimal two-layer network for a data set
    #[command(after_help = SOLVE)]
    Solve(SolveArguments),
    /// Divide the proof of a bound over processes or machines, and join the parts
    #[command(after_help = COVER)]
    Cover(CoverArguments),
    /// Certify the paper's two tables, cell by cell
    #[command(after_help = PAPER)]
    Paper(PaperArguments),
    /// Verify certificates in exact arithmetic
    #[command(after_help = CHECK)]
    Check(CheckArguments),
    /// Show a certificate in words, or as a page with pictures
    #[command(after_help = SHOW)]
    Show(ShowArguments),
    /// Write a certificate as the input of the proved checker (see proofs/README.md)
    Export(ExportArguments),
    /// Say what changed between two certificates
    #[command(after_help = super::diff::HELP)]
    Diff(DiffArguments),
    /// Print completions for a shell
    #[command(after_help = super::generate::COMPLETIONS)]
    Completions(CompletionsArguments),
    /// Print the manual page, or write one for every command
    #[command(after_help = super::generate::MAN)]
    Man(ManArguments),
}

const CERTIFY: &str = "\
Examples:
  maxmargin certify --model net.safetensors --data train.npz -o net.cert.json
  maxmargin certify --model net.npz --data train.csv --label species
  maxmargin certify --model net.npz --data train.npz --bracket near:1e-3
  maxmargin certify --model p.json --data p.data.json --decide local

Regions: `cell` keeps every activation pattern; `near:δ` also lets a neuron
cross the samples within a relative distance δ of its kink; `everywhere` is
every network of this architecture, with a bound for any width where there is
one; `any_width` asks for that alone.";
const POLISH: &str = "\
Example:
  maxmargin polish --model net.npz --data train.npz -o polished.safetensors

The exact normalised margin never decreases: without an improvement nothing is
written.";
const FLOW: &str = "\
Examples:
  maxmargin flow --model init.safetensors --data train.npz -o limit.safetensors
  maxmargin flow --model init.json --data points.json -o limit.json --snap 1e-2

The flow runs in normalised time, dθ/dt = −∇L/L, and in logarithms, so it goes
on where L is 0 in floats. What is left of the way to the limit shrinks like a
power of 1/log(1/L): slowly. --snap replaces the direction by simple fractions
nearby, and says how far that is.";
const SOLVE: &str = "\
Example:
  maxmargin solve --data train.npz -o best.json --certificate best.cert.json

The network has the largest normalised margin of all two-layer networks of any
width, up to the certified relative gap that is printed.";
const COVER: &str = "\
Example:
  maxmargin cover split --data train.npz --gap 1e-4 --items 64 -o work
  for item in work/items/*; do maxmargin cover prove $item; done
  maxmargin cover join work -o best.cert.json.gz

Items need nothing but themselves: copy them to any machine, and the parts back
to work/parts.";
const PAPER: &str = "\
Example:
  maxmargin paper --out map

The tables are those of G. Vardi, O. Shamir, N. Srebro, On Margin Maximization
in Linear and ReLU Networks (arXiv 2110.02732). Every proof is found from the
point and the data, then checked.";
const CHECK: &str = "\
Examples:
  maxmargin check net.cert.json --model net.safetensors --data train.npz
  maxmargin check certificates/ --json

With --model and --data the certificates must speak of exactly these; without,
of the network and data embedded in the file.";
const SHOW: &str = "\
Examples:
  maxmargin show net.cert.json
  maxmargin show net.cert.json --html net.html";

/// A model and its training set.
#[derive(Debug, Args)]
pub(super) struct Inputs {
    /// The network: .safetensors, .npz, .onnx or exact .json
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// The training set: .npz (arrays X, y), .csv or exact .json
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// How to read them
    #[command(flatten)]
    pub reading: Reading,
}

/// How to read models and data.
#[derive(Debug, Args)]
pub(super) struct Reading {
    /// Label column of a .csv file: its name or its index from 0 (default: the last)
    #[arg(long, value_name = "COLUMN")]
    pub label: Option<String>,
    /// Activation of a float model: relu, linear or leaky:SLOPE (default: relu)
    #[arg(long, value_name = "NAME", value_parser = activation)]
    pub activation: Option<Activation>,
}

/// When to stop and how much to use.
#[derive(Debug, Args)]
pub(super) struct Limits {
    /// Stop after so many seconds, with what is proved by then
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub time_limit: Option<f64>,
    /// Threads of the cover search (default: all cores)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// `maxmargin certify`.
#[derive(Debug, Args)]
pub(super) struct CertifyArguments {
    /// Model and data
    #[command(flatten)]
    pub inputs: Inputs,
    /// Where to write the certificate; a name ending in .gz means gzip
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Exact verdict: kkt, local or global; may be repeated
    /// (default for an exact .json network: all three)
    #[arg(long, value_name = "QUESTION", value_enum)]
    pub decide: Vec<Question>,
    /// Scope of --decide: all, or layer:L with the other layers fixed; may be repeated
    #[arg(long, value_name = "SCOPE")]
    pub scope: Vec<Scope>,
    /// Region to bracket: cell, near:DELTA or everywhere; may be repeated
    /// (default for a trained network: cell, near:1e-4 and everywhere)
    #[arg(long, value_name = "REGION")]
    pub bracket: Vec<Region>,
    /// δ of the KKT residual: constraints within (1+δ) of the margin count as active
    /// (default: 0.01)
    #[arg(long, value_name = "DELTA", value_parser = nonnegative)]
    pub active: Option<Rational>,
    /// ε of the KKT residual: slopes are free within this relative distance of a kink
    /// (default: 1e-4)
    #[arg(long, value_name = "EPSILON", value_parser = nonnegative)]
    pub kinks: Option<Rational>,
    /// Relative width at which a bracket is good enough
    #[arg(long, default_value_t = 1e-6, value_parser = seconds)]
    pub gap: f64,
    /// Keep the state of the search for a bound of any width in this file, and go on from it if it exists
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Whether the certificate contains network and data (auto: if they are small)
    #[arg(long, value_enum, default_value_t = Embed::Auto)]
    pub embed: Embed,
    /// Print one JSON object instead of the report
    #[arg(long)]
    pub json: bool,
    /// Limits
    #[command(flatten)]
    pub limits: Limits,
}

/// Whether to embed the problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Embed {
    /// If network and data together have at most 100 000 numbers.
    Auto,
    /// Yes.
    Always,
    /// No: the certificate then needs --model and --data to be checked.
    Never,
}

/// `maxmargin polish`.
#[derive(Debug, Args)]
pub(super) struct PolishArguments {
    /// Model and data
    #[command(flatten)]
    pub inputs: Inputs,
    /// Where to write the network: .safetensors or exact .json
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Let neurons that are not needed start again in far cells that promise more
    #[arg(long)]
    pub jump: bool,
    /// Print one JSON object instead of the report
    #[arg(long)]
    pub json: bool,
    /// Limits
    #[command(flatten)]
    pub limits: Limits,
}

/// `maxmargin flow`.
#[derive(Debug, Args)]
pub(super) struct FlowArguments {
    /// Model and data; the network is where the flow starts
    #[command(flatten)]
    pub inputs: Inputs,
    /// Where to write the network: .safetensors or exact .json
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Stop at this normalised time (default: none)
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub time: Option<f64>,
    /// Stop where log(1/L) reaches this; the number of steps can be proportional to it
    #[arg(long, value_name = "NUMBER", default_value_t = 1e6, value_parser = seconds)]
    pub log_loss: f64,
    /// Replace the direction by fractions of denominator up to 1000 that are within this of it,
    /// where the largest coordinate is 1
    #[arg(long, value_name = "TOLERANCE", num_args = 0..=1, default_missing_value = "1e-6", value_parser = seconds)]
    pub snap: Option<f64>,
    /// Stop after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub time_limit: Option<f64>,
    /// Print one JSON object instead of the report
    #[arg(long)]
    pub json: bool,
}

/// What a search from data alone starts from and is to reach.
#[derive(Debug, Args)]
pub(super) struct Sought {
    /// The training set: .npz (arrays X, y), .csv or exact .json; labels ±1 or 0/1
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// How to read the data, and the activation
    #[command(flatten)]
    pub reading: Reading,
    /// Relative gap to prove
    #[arg(long, default_value_t = 1e-6, value_parser = seconds)]
    pub gap: f64,
    /// Keep the state of the search in this file, and go on from it if it exists
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Limits
    #[command(flatten)]
    pub limits: Limits,
}

/// `maxmargin solve`.
#[derive(Debug, Args)]
pub(super) struct SolveArguments {
    /// Data and aim
    #[command(flatten)]
    pub sought: Sought,
    /// Where to write the network: .safetensors or exact .json
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where to write the certificate; a name ending in .gz means gzip
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `maxmargin cover`.
#[derive(Debug, Args)]
pub(super) struct CoverArguments {
    /// What to do.
    #[command(subcommand)]
    pub command: CoverCommand,
}

/// The steps.
#[derive(Debug, Subcommand)]
pub(super) enum CoverCommand {
    /// Find the network and the multipliers, and write the open subtrees of the covers as items
    Split(SplitArguments),
    /// Search one item and write its part
    Prove(ProveArguments),
    /// Put the parts together into a certificate
    Join(JoinArguments),
}

/// `maxmargin cover split`.
#[derive(Debug, Args)]
pub(super) struct SplitArguments {
    /// Data and aim; the checkpoint may be that of an unfinished `solve`
    #[command(flatten)]
    pub sought: Sought,
    /// The folder to write to
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// At least about so many items, if the covers are that large
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub items: u16,
}

/// `maxmargin cover prove`.
#[derive(Debug, Args)]
pub(super) struct ProveArguments {
    /// A file that `split` wrote
    #[arg(value_name = "ITEM")]
    pub item: PathBuf,
    /// Where to write the part (default: ../parts, beside the folder of the item)
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Limits
    #[command(flatten)]
    pub limits: Limits,
}

/// `maxmargin cover join`.
#[derive(Debug, Args)]
pub(super) struct JoinArguments {
    /// The folder that `split` wrote
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Where to write the certificate; a name ending in .gz means gzip
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Where to write the network: .safetensors or exact .json
    #[arg(long, value_name = "FILE")]
    pub network: Option<PathBuf>,
}

/// `maxmargin paper`.
#[derive(Debug, Args)]
pub(super) struct PaperArguments {
    /// Where to write the certificates and the map
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Also run the proved checker (make -C proofs) and say which cells it confirms
    #[arg(long, value_name = "PROGRAM", num_args = 0..=1, require_equals = true,
          default_missing_value = "maxmargin-verified")]
    pub also_verified: Option<PathBuf>,
    /// Limits
    #[command(flatten)]
    pub limits: Limits,
}

/// The problem from outside, for certificates that do not embed theirs or must be of this one.
#[derive(Debug, Args)]
pub(super) struct Given {
    /// The network: the certificate must speak of it, and need not embed it
    #[arg(long, value_name = "FILE", requires = "data")]
    pub model: Option<PathBuf>,
    /// The training set, likewise
    #[arg(long, value_name = "FILE", requires = "model")]
    pub data: Option<PathBuf>,
    /// How to read them
    #[command(flatten)]
    pub reading: Reading,
}

/// `maxmargin check`.
#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// Certificates, gzip if the name ends in .gz; folders and patterns stand for the certificates
    /// in them, - for the standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The problem
    #[command(flatten)]
    pub given: Given,
    /// Also run the proved checker (make -C proofs) on every file and compare its answers
    #[arg(long, value_name = "PROGRAM", num_args = 0..=1, require_equals = true,
          default_missing_value = "maxmargin-verified", conflicts_with = "json")]
    pub also_verified: Option<PathBuf>,
    /// Most nodes of all covers of a file; past it, exit 4 [default: 100000000]
    #[arg(long, value_name = "N")]
    pub max_nodes: Option<usize>,
    /// Most bytes of a file; past it, exit 4 [default: 68719476736]
    #[arg(long, value_name = "N")]
    pub max_bytes: Option<u64>,
    /// Most seconds of a file; past it, exit 4 [default: none with --model, else 30 and 1 for every
    /// 16 kB, of gzip 4 kB]
    #[arg(long, value_name = "SECONDS")]
    pub time_limit: Option<u64>,
    /// Print one JSON object per file
    #[arg(long)]
    pub json: bool,
}

/// `maxmargin export`.
#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    /// A certificate
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// For the proved checker, maxmargin-verified
    #[arg(long)]
    pub verified: bool,
    /// Where to write; standard output if absent
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The problem
    #[command(flatten)]
    pub given: Given,
}

/// `maxmargin show`.
#[derive(Debug, Args)]
pub(super) struct ShowArguments {
    /// A certificate
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Write a page with pictures instead: one HTML file, complete in itself
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// The problem
    #[command(flatten)]
    pub given: Given,
}

fn activation(text: &str) -> Result<Activation, String> {
    match text {
        "relu" => Ok(Activation::relu()),
        "linear" => Ok(Activation::linear()),
        _ => {
            let slope = text.strip_prefix("leaky:").ok_or("write relu, linear or leaky:SLOPE")?;
            let slope = parse_rational(slope).map_err(|e| e.to_string())?;
            Activation::leaky(slope).map_err(|e| e.to_string())
        }
    }
}

fn nonnegative(text: &str) -> Result<Rational, String> {
    let value = parse_rational(text).map_err(|e| e.to_string())?;
    if value < Rational::default() { Err("must not be negative".into()) } else { Ok(value) }
}

pub(super) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err("must be a number ≥ 0".into()),
    }
}

impl Inputs {
    /// The two files, each with its option.
    pub fn files(&self) -> [(&'static str, &Path); 2] {
        [("--model", &self.model), ("--data", &self.data)]
    }

    /// The options that name and read the data again, for a command to be copied.
    pub fn data_again(&self) -> String {
        format!("--data {}{}", quoted(&self.data), self.reading.again(false))
    }
}

impl Reading {
    /// The same options, for a command to be copied: with the activation, or without for a model that
    /// states its own.
    pub fn again(&self, activation: bool) -> String {
        let mut out = String::new();
        if let Some(label) = &self.label {
            out.push_str(&format!(" --label {}", quoted(Path::new(label))));
        }
        if let Some(given) = self.activation.as_ref().filter(|_| activation) {
            let name = match (*given == Activation::relu(), given.is_linear()) {
                (true, _) => "relu".to_string(),
                (_, true) => "linear".to_string(),
                _ => format!("leaky:{}", format_rational(given.slope())),
            };
            out.push_str(&format!(" --activation {name}"));
        }
        out
    }

    /// Options of the importers.
    pub fn options(&self) -> (crate::import::ModelOptions, crate::import::DataOptions) {
        let model = crate::import::ModelOptions { activation: self.activation.clone() };
        (model, crate::import::DataOptions { label: self.label.clone() })
    }
}
