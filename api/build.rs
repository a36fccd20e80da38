//! The console is embedded when it has been built; building it later must build this crate again.

fn main() {
    println!("cargo:rerun-if-changed=../console/dist");
}
