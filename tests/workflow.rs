//! The workflow file for continuous integration: its commands do what its comments say.
use std::path::{Path, PathBuf};
use std::process::Command;

fn root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The values of the file's `env:` and its `run:` scripts, in order.
fn workflow() -> (Vec<(String, String)>, Vec<String>) {
    let text = std::fs::read_to_string(root("examples/ci/github-workflow.yml")).unwrap();
    let (mut env, mut scripts) = (Vec::new(), Vec::new());
    let mut lines = text.lines().peekable();
    let mut inside = false;
    while let Some(line) = lines.next() {
        if !line.starts_with(' ') {
            inside = line == "env:";
        } else if let (true, Some((name, value))) = (inside, line.trim().split_once(": ")) {
            if !name.starts_with('#') {
                env.push((name.to_string(), value.trim_matches('"').to_string()));
            }
        } else if let Some((_, script)) = line.split_once("run: ") {
            let indent = line.len() - line.trim_start().len();
            let mut script = script.to_string();
            if script == "|" {
                script.clear();
                let deeper = |l: &&str| l.len() - l.trim_start().len() > indent;
                while let Some(more) = lines.next_if(deeper) {
                    script.push_str(more.trim_start());
                    script.push('\n');
                }
            }
            scripts.push(script);
        }
    }
    (env, scripts)
}

/// A repository as the workflow expects it.
struct Repository(tempfile::TempDir);

impl Repository {
    fn new(model: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["checkpoints", "data", "certificates"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let repository = Self(folder);
        std::fs::copy(root("examples/iris/iris.data.npz"), repository.path("data/train.npz"))
            .unwrap();
        repository.checkpoint(model);
        repository.shell("maxmargin certify --model $MODEL --data $DATA -o $CERTIFICATE", 0);
        repository
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn checkpoint(&self, model: &Path) {
        std::fs::copy(model, self.path("checkpoints/net.safetensors")).unwrap();
    }

    /// Runs a script as GitHub does.
    fn shell(&self, script: &str, code: i32) -> String {
        let program = Path::new(env!("CARGO_BIN_EXE_maxmargin")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("bash");
        shell.args(["-e", "-c", script]).env("PATH", path).envs(workflow().0);
        let output = shell.current_dir(self.0.path()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{script}\n{text}{errors}");
        text
    }
}

#[test]
fn a_checkpoint_that_changes_is_certified_again() {
    let (env, scripts) = workflow();
    assert_eq!(env.len(), 5, "{env:?}");
    // The first one installs from the network.
    let [install, all, one] = scripts.as_slice() else { panic!("{scripts:#?}") };
    assert!(install.starts_with("cargo install --locked --git"), "{install}");
    let worse = root("examples/iris/iris_m10.safetensors");
    let repository = Repository::new(&worse);

    // Nothing changed: nothing new.
    let said = repository.shell(all, 0);
    assert!(said.starts_with("VERIFIED") && said.contains("certificates/net.cert.json"), "{said}");
    repository.shell(one, 0);
    assert!(!repository.path("new.cert.json").exists());

    // A better checkpoint: certified, compared, accepted.
    let polish = "maxmargin polish --model $MODEL --data $DATA -o better.safetensors";
    repository.shell(polish, 0);
    let better = repository.path("better.safetensors");
    repository.checkpoint(&better);
    let said = repository.shell(one, 0);
    assert!(said.contains("normalised margin ν rose"), "{said}");
    assert!(repository.path("new.html").exists());

    // A worse one is not.
    let repository = Repository::new(&better);
    repository.checkpoint(&worse);
    let said = repository.shell(one, 6);
    assert!(said.contains("WEAKER"), "{said}");

    // Nor is a certificate that does not hold.
    let rejected = root("certificates/rejected/bound_too_small.json");
    std::fs::copy(rejected, repository.path("certificates/net.cert.json")).unwrap();
    repository.shell(all, 1);
    repository.shell(one, 1);
}
