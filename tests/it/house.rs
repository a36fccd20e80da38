//! The rules of the house that no compiler keeps.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use leadward::cli::Cli;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust source below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder can be listed") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found
}

/// Names of the modules that a crate has for its tests alone.
fn test_modules(files: &[PathBuf]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in files {
        let source = std::fs::read_to_string(file).expect("a source can be read");
        let marked = source.split("#[cfg(test)]").skip(1);
        let declared = marked.filter_map(|rest| rest.lines().map(str::trim).find(|line| !line.is_empty()));
        names.extend(declared.filter_map(|line| {
            let line = line.strip_suffix(';')?;
            line.strip_prefix("pub(crate) ")
                .unwrap_or(line)
                .strip_prefix("mod ")
                .map(str::to_owned)
        }));
    }
    names
}

/// The sources of a crate that run, each without its tests.
fn running_code(folder: &Path) -> Vec<(PathBuf, String)> {
    let files = sources(folder);
    let for_tests = test_modules(&files);
    let is_test = |path: &Path| {
        let below = path.strip_prefix(folder).expect("it is below").with_extension("");
        below
            .iter()
            .any(|part| for_tests.contains(part.to_string_lossy().as_ref()))
    };
    let running = files.into_iter().filter(|path| !is_test(path));
    running
        .map(|path| {
            let source = std::fs::read_to_string(&path).expect("a source can be read");
            let code = source
                .split("#[cfg(test)]\nmod tests {")
                .next()
                .unwrap_or_default()
                .to_owned();
            (path, code)
        })
        .collect()
}

/// Variables and their defaults, of a command and all below it.
fn variables(command: &Command) -> BTreeSet<String> {
    let own = command
        .get_arguments()
        .filter_map(|arg| arg.get_env())
        .map(|name| name.to_string_lossy().into_owned());
    let below = command.get_subcommands().flat_map(variables);
    own.chain(below).collect()
}

#[test]
fn the_manual_and_the_sample_of_settings_name_the_same_variables() {
    let in_manual = variables(&Cli::command());
    let sample = read(".env.sample");
    let assignments = sample.lines().map(|line| line.trim_start_matches(['#', ' ']));
    let in_sample: BTreeSet<String> = assignments
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name.to_owned())
        .filter(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .collect();
    assert_eq!(in_manual, in_sample);
}

#[test]
fn every_setting_has_its_sentence_in_the_manual() {
    for argument in Cli::command()
        .get_arguments()
        .filter(|argument| argument.get_env().is_some())
    {
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        assert!(
            help.split_whitespace().count() >= 4,
            "{} says only {help:?}",
            argument.get_id()
        );
    }
}

#[test]
fn the_sample_shows_the_defaults() {
    let sample = read(".env.sample");
    for argument in Cli::command()
        .get_arguments()
        .filter(|argument| argument.get_env().is_some())
    {
        let Some([default]) = Some(argument.get_default_values()).filter(|values| values.len() == 1) else {
            continue;
        };
        let name = argument.get_env().expect("it has one").to_string_lossy();
        let line = sample.lines().find_map(|line| {
            line.trim_start_matches(['#', ' '])
                .strip_prefix(&format!("{name}="))
        });
        let shown = line.map(|value| value.trim_matches(['"', '\'']));
        assert_eq!(shown, default.to_str(), "{name}");
    }
}

#[test]
fn the_committed_schema_is_the_one_that_is_served() {
    let committed = read("schema.graphql");
    let served = api::graphql::sdl();
    let first = committed
        .lines()
        .zip(served.lines())
        .position(|(one, other)| one != other);
    assert!(
        committed == served,
        "run `leadward schema > schema.graphql`; the first difference is at line {first:?}"
    );
}

/// The crates, and those of the house that each may name.
const MAY_NAME: [(&str, &[&str]); 5] = [
    ("entity", &[]),
    ("migration", &[]),
    ("domain", &["entity"]),
    ("api", &["entity", "domain"]),
    ("worker", &["entity", "domain"]),
];

/// Libraries that a crate must not know: the domain has no door and no wire.
const MUST_NOT_NAME: [(&str, &[&str]); 4] = [
    ("entity", &["poem", "async_graphql", "lettre", "apalis", "redis"]),
    (
        "domain",
        &[
            "poem",
            "async_graphql",
            "lettre",
            "apalis",
            "apalis_core",
            "apalis_redis",
            "redis",
        ],
    ),
    (
        "api",
        &["lettre", "apalis", "apalis_core", "apalis_redis", "redis"],
    ),
    ("worker", &["poem", "async_graphql"]),
];

/// Names of crates that a source uses: what stands before a path's first `::`.
fn crates_named(source: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for line in source
        .lines()
        .map(str::trim_start)
        .filter(|line| !line.starts_with("//"))
    {
        for (place, _) in line.match_indices("::") {
            let word: String = line[..place]
                .chars()
                .rev()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            let before = line[..place - word.len()].chars().next_back();
            if before != Some(':') {
                named.insert(word.chars().rev().collect());
            }
        }
        let path = line
            .strip_prefix("pub use ")
            .or_else(|| line.strip_prefix("use "));
        named.extend(path.map(|path| {
            path.trim_end_matches(';')
                .split([':', ' '])
                .next()
                .unwrap_or_default()
                .to_owned()
        }));
    }
    named
}

#[test]
fn arrows_between_crates_point_one_way() {
    let house: Vec<&str> = MAY_NAME
        .iter()
        .map(|(name, _)| *name)
        .chain(["leadward"])
        .collect();
    let mut breaches = Vec::new();
    for (name, may) in MAY_NAME {
        let banned = MUST_NOT_NAME
            .iter()
            .find(|(of, _)| *of == name)
            .map_or(&[][..], |(_, banned)| *banned);
        let folder = root().join(name).join("src");
        let files = running_code(&folder);
        assert!(!files.is_empty(), "{} has sources", folder.display());
        let own_modules: BTreeSet<String> = files
            .iter()
            .filter_map(|(path, _)| Some(path.file_stem()?.to_string_lossy().into_owned()))
            .collect();
        for (file, source) in files {
            for named in crates_named(&source) {
                let foreign =
                    house.contains(&named.as_str()) && named != name && !may.contains(&named.as_str());
                // A module of the crate may be called like another crate, `lead::migration` say; a use of the crate
                // itself would also need it in the manifest.
                if (foreign && !own_modules.contains(&named)) || banned.contains(&named.as_str()) {
                    breaches.push(format!("{} names {named}", file.display()));
                }
            }
        }
        let manifest = read(format!("{name}/Cargo.toml"));
        let dependencies = manifest.split("[dev-dependencies]").next().unwrap_or_default();
        for line in dependencies.lines() {
            let dependency = line
                .split(['.', ' ', '='])
                .next()
                .unwrap_or_default()
                .replace('-', "_");
            let foreign = house.contains(&dependency.as_str()) && !may.contains(&dependency.as_str());
            // The package's own name stands in its manifest, as a value.
            if foreign || banned.contains(&dependency.as_str()) {
                breaches.push(format!("{name}/Cargo.toml depends on {dependency}"));
            }
        }
    }
    assert_eq!(breaches, Vec::<String>::new());
}

#[test]
fn the_reader_of_imports_sees_what_it_is_there_to_see() {
    let source = "use worker::run::Worker;\n// use lettre::Message;\nlet x = redis::Client::open(url);\nuse crate::api;\n";
    let named = crates_named(source);
    assert!(named.contains("worker") && named.contains("redis"));
    assert!(!named.contains("lettre") && !named.contains("api"), "{named:?}");
}

#[test]
fn time_is_read_in_one_place() {
    let folders =
        ["entity", "migration", "domain", "api", "worker", "."].map(|name| root().join(name).join("src"));
    let readers: Vec<_> = folders
        .iter()
        .flat_map(|folder| running_code(folder))
        .filter(|(_, code)| {
            ["Utc::now()", "Local::now()", "SystemTime::now()"]
                .iter()
                .any(|call| code.contains(call))
        })
        .map(|(path, _)| path)
        .collect();
    assert_eq!(readers, [root().join("domain/src/clock.rs")]);
}

#[test]
fn no_module_is_a_drawer() {
    let drawers = [
        "utils", "util", "common", "helpers", "helper", "manager", "service", "services", "types", "misc",
    ];
    let found: Vec<_> = ["entity", "migration", "domain", "api", "worker"]
        .iter()
        .flat_map(|name| sources(&root().join(name).join("src")))
        .filter(|path| {
            path.file_stem()
                .is_some_and(|stem| drawers.contains(&stem.to_string_lossy().as_ref()))
        })
        .filter(|path| !path.ends_with("setup/services.rs"))
        .collect();
    assert_eq!(found, Vec::<PathBuf>::new());
}
