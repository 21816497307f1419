//! A certificate as a page: one HTML file without scripts, fonts or images from elsewhere.

mod figures;
mod floats;
mod meaning;
mod neurons;
mod pictures;
mod plane;
mod sections;
mod witness;

pub use witness::{Contents, Witness};

use maud::{DOCTYPE, Markup, PreEscaped, html};
use maxmargin_kernel::check::Report;
use maxmargin_kernel::problem::Problem;
use std::path::Path;

/// What a page is made of.
pub struct Page<'a> {
    /// The certificate's file name, or what stands for it.
    pub file: &'a Path,
    /// The network and the data.
    pub problem: &'a Problem,
    /// What the kernel verified.
    pub report: &'a Report,
    /// Multipliers and curves.
    pub contents: &'a Contents,
    /// The files that the certificate was compared with.
    pub given: Option<(&'a Path, &'a Path)>,
}

impl Page<'_> {
    /// The whole document.
    pub fn document(&self) -> String {
        let name = self.file.file_name().unwrap_or(self.file.as_os_str()).to_string_lossy();
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (name) " · maxmargin" }
                    style { (PreEscaped(include_str!("style.css"))) }
                }
                body { (self.body()) }
            }
        };
        page.into_string()
    }

    /// The page without its head, for notebooks; its style is scoped to the class `maxmargin`.
    pub fn fragment(&self) -> String {
        html! { style { (PreEscaped(include_str!("style.css"))) } (self.body()) }.into_string()
    }

    fn body(&self) -> Markup {
        html! {
            main.maxmargin {
                (self.heading())
                (self.verdict())
                (self.bounds())
                (self.plane())
                (self.dual())
                (self.curves())
                (self.margins())
                (self.multipliers())
                (self.neurons())
                (self.claims())
                (self.identity())
            }
        }
    }
}

/// A figure with its caption; nothing if it could not be drawn.
fn figure(label: &str, svg: Option<String>, caption: &Markup) -> Markup {
    html! {
        @if let Some(svg) = svg {
            figure {
                div.plot role="img" aria-label=(label) { (PreEscaped(svg)) }
                figcaption { (caption) }
            }
        }
    }
}
