//! Clients that programs make of the admin API's document, as the server gives it: each has every model, and a small
//! program of its language calls the server through it.

use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, Options, Request, Tool, generators};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A server, and a folder for what is generated of its document.
struct Bench {
    cofre: Cofre,
    folder: PathBuf,
    document: PathBuf,
    /// Names of all schemas, and whether each is one of several.
    schemas: Vec<(String, bool)>,
}

impl Bench {
    /// A server, its document, and a copy of the program and what it is built by.
    fn new(language: &str) -> Result<Self> {
        let cofre = Cofre::start(Options::new())?;
        let answer = cofre.send_admin(Request::new("GET", "/openapi.json"))?;
        ensure!(answer.status == 200, "{}", answer.text());
        let text = answer.text();
        let document: Value = serde_json::from_str(&text)?;
        let schemas = document["components"]["schemas"].as_object().context("schemas")?;
        let schemas = schemas.iter().map(|(name, schema)| (name.clone(), schema.get("oneOf").is_some())).collect();
        let folder = cofre.folder().join(language);
        std::fs::create_dir_all(&folder)?;
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients/generated").join(language);
        for file in std::fs::read_dir(&sources).with_context(|| sources.display().to_string())? {
            let file = file?;
            if file.file_type()?.is_file() {
                std::fs::copy(file.path(), folder.join(file.file_name()))?;
            }
        }
        let path = folder.join("openapi.json");
        std::fs::write(&path, text)?;
        Ok(Self { cofre, folder, document: path, schemas })
    }

    /// A tool that runs in the folder.
    fn tool(&self, path: &Path) -> Tool {
        Tool::from_path(path).within(&self.folder)
    }

    /// Runs the program, which counts what it checked.
    fn passes(&self, program: Tool) -> Result<()> {
        let token = std::fs::read_to_string(self.cofre.data().join("admin-token"))?;
        let url = format!("http://{}", self.cofre.admin());
        let said = program.env("COFRE_ADMIN_URL", &url).env("COFRE_ADMIN_TOKEN", token.trim()).run()?;
        ensure!(said.contains(" checks passed") && !said.starts_with("0 "), "{said}");
        Ok(())
    }

    /// Each schema must be declared in the code as `before NAME after`; names have no underscores there.
    fn declares(&self, code: &str, before: &str, after: &[char], unions: bool) -> Result<()> {
        ensure!(self.schemas.len() > 80, "the document has only {} schemas", self.schemas.len());
        for (name, is_union) in &self.schemas {
            let declared = format!("{before}{}", name.replace('_', ""));
            let mut places = code.match_indices(&declared).map(|(at, found)| &code[at + found.len()..]);
            ensure!((*is_union && !unions) || places.any(|rest| rest.starts_with(after)), "{declared} is not there");
        }
        Ok(())
    }
}

fn all_code(folder: &Path, extension: &str) -> Result<String> {
    let mut code = String::new();
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|found| found == extension) {
            code.push_str(&std::fs::read_to_string(path)?);
        }
    }
    Ok(code)
}

#[test]
fn openapi_python_client() -> Result<()> {
    let bench = Bench::new("python")?;
    let package = bench.folder.join("cofre_admin");
    let mut generator = Tool::python("openapi-python-client")
        .within(&bench.folder)
        .args(&["generate", "--meta", "none", "--path"])
        .arg(&bench.document)
        .arg("--output-path")
        .arg(&package);
    let output = generator.output()?;
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    ensure!(output.status.success() && !said.contains("Unable to"), "{said}");
    // It reads no answer that comes line by line, and leaves those out.
    let lines = ["POST /v1/verify", "GET /console/v1/buckets/{bucket}/search"];
    let known: usize = lines.iter().map(|line| said.matches(&format!("WARNING parsing {line}")).count()).sum();
    ensure!(said.matches("WARNING").count() == known, "{said}");
    // Several that are told apart are a union of the types of each.
    bench.declares(&all_code(&package.join("models"), "py")?, "class ", &[':', '('], false)?;
    let path = bench.folder.display().to_string();
    let program = Tool::python("python").within(&bench.folder).env("PYTHONPATH", &path).args(&["-B", "use.py"]);
    bench.passes(program)
}

#[test]
fn oapi_codegen() -> Result<()> {
    let bench = Bench::new("go")?;
    std::fs::create_dir_all(bench.folder.join("admin"))?;
    bench.tool(&generators().join("bin/oapi-codegen")).args(&["-config", "config.yaml", "openapi.json"]).run()?;
    bench.declares(&all_code(&bench.folder.join("admin"), "go")?, "\ntype ", &[' '], true)?;
    let program = bench.folder.join("use");
    bench.tool(Path::new("go")).args(&["build", "-o", "use", "."]).run()?;
    bench.passes(bench.tool(&program))
}

#[test]
fn hey_api() -> Result<()> {
    let bench = Bench::new("typescript")?;
    let modules = generators().join("typescript/node_modules");
    std::os::unix::fs::symlink(&modules, bench.folder.join("node_modules"))?;
    let run = |name: &str| bench.tool(&modules.join(".bin").join(name));
    run("openapi-ts").args(&["--input", "openapi.json", "--output", "admin", "--no-log-file"]).run()?;
    bench.declares(&all_code(&bench.folder.join("admin"), "ts")?, "export type ", &[' '], true)?;
    run("tsc").args(&["--project", "."]).run()?;
    bench.passes(bench.tool(Path::new("node")).arg("out/use.js"))
}
