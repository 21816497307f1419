//! Rewrites the Rust files of a folder so that every mutation is in them, each behind
//! `crate::mutation(N)`: one build serves all mutants, and `MUTANT=N` chooses one when a test runs.
//!
//! ```text
//! mutants SRC LIST [EXCLUDED]
//! ```
//! SRC is changed in place (use a copy) and must hold `lib.rs`; LIST gets a line per mutant: number,
//! place, function, edit. EXCLUDED holds numbers to leave out: those that do not compile.
//! `MUTANT_TRACE=FILE` makes a test append the numbers of the mutants that it comes by.
use proc_macro2::Span;
use quote::{ToTokens, quote};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, BinOp, Block, Expr, ExprClosure, ExprLet, GenericArgument, Ident, ImplItemConst,
    ImplItemFn, ItemConst, ItemFn, ItemMod, ItemStatic, Pat, ReturnType, Signature, Type, UnOp,
};

/// Other operators for an operator.
const OPERATORS: &[(&str, &[&str])] = &[
    ("<", &["<=", ">="]),
    ("<=", &["<", ">"]),
    (">", &[">=", "<="]),
    (">=", &[">", "<"]),
    ("==", &["!="]),
    ("!=", &["=="]),
    ("&&", &["||"]),
    ("||", &["&&"]),
    ("+", &["-", "*"]),
    ("-", &["+", "/"]),
    ("*", &["+", "/"]),
    ("/", &["*", "%"]),
    ("%", &["/", "+"]),
    ("<<", &[">>"]),
    (">>", &["<<"]),
    ("&", &["|"]),
    ("|", &["&"]),
    ("^", &["|"]),
    ("+=", &["-="]),
    ("-=", &["+="]),
    ("*=", &["+="]),
    ("<<=", &[">>="]),
    (">>=", &["<<="]),
    ("|=", &["&="]),
];

/// Methods exchanged for each other.
const METHODS: &[(&str, &str)] = &[
    ("all", "any"),
    ("max", "min"),
    ("is_some", "is_none"),
    ("is_some_and", "is_none_or"),
    ("is_negative", "is_positive"),
    ("is_gt", "is_ge"),
    ("is_lt", "is_le"),
];

struct Mutator {
    next: u32,
    excluded: BTreeSet<u32>,
    file: String,
    function: String,
    list: Vec<String>,
}

/// Whether a condition holds a `let`, which only `if` and `while` may hold.
struct HoldsLet(bool);

impl<'a> Visit<'a> for HoldsLet {
    fn visit_expr_let(&mut self, _: &'a ExprLet) {
        self.0 = true;
    }
    fn visit_expr_closure(&mut self, _: &'a ExprClosure) {}
    fn visit_block(&mut self, _: &'a Block) {}
}

fn holds_let(expression: &Expr) -> bool {
    let mut found = HoldsLet(false);
    visit::visit_expr(&mut found, expression);
    found.0
}

fn of_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|a| a.to_token_stream().to_string().contains("test"))
}

/// What a function's body becomes.
fn bodies(signature: &Signature) -> &'static [&'static str] {
    let ReturnType::Type(_, returned) = &signature.output else { return &["()"] };
    let name = returned.to_token_stream().to_string().replace(' ', "");
    match name.as_str() {
        "bool" => &["true", "false"],
        "usize" | "u64" | "i64" | "u32" => &["0", "1"],
        "fmt::Result" => &[],
        n if n.starts_with("Result<()") => &["Ok(())"],
        n if n.starts_with("Result<Vec<") => &["Ok(Vec::new())"],
        n if n.starts_with("Option<") => &["None"],
        n if n.starts_with("Vec<") => &["Vec::new()"],
        n if n.starts_with('&') || n.starts_with("Self") || n.contains("impl") => &[],
        _ => &["Default::default()"],
    }
}

impl Mutator {
    /// The number of a mutant, unless it is left out.
    fn number(&mut self, place: Span, edit: &str) -> Option<u32> {
        let number = self.next;
        self.next += 1;
        if self.excluded.contains(&number) {
            return None;
        }
        let (file, line, function) = (&self.file, place.start().line, &self.function);
        self.list.push(format!("{number}\t{file}:{line}\t{function}\t{edit}"));
        Some(number)
    }

    fn function(&mut self, signature: &Signature, block: &mut Block) {
        let outer = std::mem::replace(&mut self.function, signature.ident.to_string());
        visit_mut::visit_block_mut(self, block);
        for body in bodies(signature) {
            if let Some(n) = self.number(signature.ident.span(), &format!("body -> {body}")) {
                let value: Expr = syn::parse_str(body).unwrap();
                *block = syn::parse_quote!({ if crate::mutation(#n) { return #value; } #block });
            }
        }
        self.function = outer;
    }

    /// The mutants of a condition as a whole: never and always true. In a chain with `let`, of every
    /// part without one.
    fn condition(&mut self, condition: &mut Expr, plain: &Expr) {
        if !holds_let(plain) {
            for value in ["false", "true"] {
                let edit = format!("condition -> {value}   in {}", plain.to_token_stream());
                if let Some(n) = self.number(plain.span(), &edit) {
                    let value: Expr = syn::parse_str(value).unwrap();
                    *condition =
                        syn::parse_quote!((if crate::mutation(#n) { #value } else { #condition }));
                }
            }
        } else if let (Expr::Binary(chain), Expr::Binary(parts)) = (condition, plain) {
            self.condition(&mut chain.left, &parts.left);
            self.condition(&mut chain.right, &parts.right);
        }
    }

    /// The mutants of an expression itself, not of its parts.
    fn variants(&mut self, plain: &Expr) -> Vec<(u32, Expr)> {
        let mut variants = Vec::new();
        let text = plain.to_token_stream();
        match plain {
            Expr::Binary(b) if !(matches!(b.op, BinOp::And(_)) && holds_let(plain)) => {
                let name = b.op.to_token_stream().to_string();
                let others = OPERATORS.iter().find(|(op, _)| *op == name);
                for other in others.map_or(&[][..], |(_, others)| others) {
                    let edit = format!("{name} -> {other}   in {text}");
                    if let Some(n) = self.number(b.op.span(), &edit) {
                        let op = syn::parse_str(other).unwrap();
                        variants.push((n, Expr::Binary(syn::ExprBinary { op, ..b.clone() })));
                    }
                }
            }
            Expr::Unary(u)
                if matches!(u.op, UnOp::Not(_) | UnOp::Neg(_))
                    && !matches!(&*u.expr, Expr::Lit(_))
                    && !holds_let(plain) =>
            {
                let edit = format!("without {}   in {text}", u.op.to_token_stream());
                if let Some(n) = self.number(plain.span(), &edit) {
                    variants.push((n, (*u.expr).clone()));
                }
            }
            Expr::MethodCall(call) => {
                let name = call.method.to_string();
                let other = METHODS
                    .iter()
                    .find_map(|(a, b)| (name == *a).then_some(*b).or((name == *b).then_some(*a)));
                if let Some(other) = other
                    && let Some(n) =
                        self.number(call.method.span(), &format!("{name} -> {other}   in {text}"))
                {
                    let mut call = call.clone();
                    call.method = Ident::new(other, call.method.span());
                    variants.push((n, Expr::MethodCall(call)));
                }
            }
            _ => {}
        }
        variants
    }
}

impl VisitMut for Mutator {
    // What must be constant, and what is not an expression.
    fn visit_item_const_mut(&mut self, _: &mut ItemConst) {}
    fn visit_item_static_mut(&mut self, _: &mut ItemStatic) {}
    fn visit_impl_item_const_mut(&mut self, _: &mut ImplItemConst) {}
    fn visit_type_mut(&mut self, _: &mut Type) {}
    fn visit_pat_mut(&mut self, _: &mut Pat) {}
    fn visit_generic_argument_mut(&mut self, _: &mut GenericArgument) {}

    fn visit_item_mod_mut(&mut self, module: &mut ItemMod) {
        if !of_tests(&module.attrs) {
            visit_mut::visit_item_mod_mut(self, module);
        }
    }

    fn visit_item_fn_mut(&mut self, item: &mut ItemFn) {
        if !of_tests(&item.attrs) && item.sig.constness.is_none() {
            self.function(&item.sig, &mut item.block);
        }
    }

    fn visit_impl_item_fn_mut(&mut self, item: &mut ImplItemFn) {
        if !of_tests(&item.attrs) && item.sig.constness.is_none() {
            self.function(&item.sig, &mut item.block);
        }
    }

    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        let plain = expression.clone();
        visit_mut::visit_expr_mut(self, expression);
        match (&mut *expression, &plain) {
            (Expr::If(branch), Expr::If(plain)) => self.condition(&mut branch.cond, &plain.cond),
            (Expr::While(repeat), Expr::While(plain)) => {
                self.condition(&mut repeat.cond, &plain.cond);
            }
            (Expr::Match(choice), Expr::Match(plain)) => {
                for (arm, plain) in choice.arms.iter_mut().zip(&plain.arms) {
                    if let (Some((_, guard)), Some((_, plain))) = (&mut arm.guard, &plain.guard) {
                        self.condition(guard, plain);
                    }
                }
            }
            _ => {}
        }
        // The variants hold the parts unchanged: else the text would double with every level.
        let mut text = quote!({ #expression });
        let variants = self.variants(&plain);
        if variants.is_empty() {
            return;
        }
        for (n, variant) in variants.into_iter().rev() {
            text = quote!({ if crate::mutation(#n) { #variant } else #text });
        }
        *expression = syn::parse2(quote!((#text))).unwrap();
    }
}

/// The Rust files below a folder, but for programs and files of tests.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "bin" {
            sources(&path, found);
        } else if name.ends_with(".rs") && !name.ends_with("_tests.rs") {
            found.push(path);
        }
    }
}

const SWITCH: &str = r#"
#[doc(hidden)] #[allow(missing_docs)]
pub fn mutation(n: u32) -> bool {
    use std::io::Write;
    use std::sync::atomic::{AtomicBool, Ordering};
    static CHOICE: std::sync::OnceLock<(u32, Option<String>)> = std::sync::OnceLock::new();
    static SEEN: [AtomicBool; 8192] = [const { AtomicBool::new(false) }; 8192];
    let (chosen, trace) = CHOICE.get_or_init(|| {
        let number = std::env::var("MUTANT").ok().and_then(|n| n.parse().ok());
        (number.unwrap_or(0), std::env::var("MUTANT_TRACE").ok())
    });
    if let Some(path) = trace && !SEEN[n as usize].swap(true, Ordering::Relaxed) {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        file.and_then(|mut f| f.write_all(format!("{n}\n").as_bytes())).expect("a trace");
    }
    n == *chosen
}
"#;

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let [_, folder, list, rest @ ..] = &words[..] else { panic!("mutants SRC LIST [EXCLUDED]") };
    let excluded = rest.first().map(|file| fs::read_to_string(file).unwrap()).unwrap_or_default();
    let mut mutator = Mutator {
        next: 1,
        excluded: excluded.split_whitespace().map(|n| n.parse().unwrap()).collect(),
        file: String::new(),
        function: String::new(),
        list: Vec::new(),
    };
    let mut files = Vec::new();
    sources(Path::new(folder), &mut files);
    for path in files {
        let mut file = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap();
        mutator.file = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
        mutator.visit_file_mut(&mut file);
        let mut text = file.to_token_stream().to_string();
        if mutator.file == "lib.rs" {
            // Lints that find a mutant wrong before it runs.
            text = format!("#![allow(arithmetic_overflow, unconditional_panic)] {text}{SWITCH}");
        }
        fs::write(&path, text).unwrap();
    }
    fs::write(list, mutator.list.join("\n") + "\n").unwrap();
    println!("{} mutants", mutator.list.len());
}
