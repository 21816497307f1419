//! The command line.
fn main() -> std::process::ExitCode {
    maxmargin::cli::run()
}
