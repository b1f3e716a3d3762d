/**
 * The {@code lora-graph} command. It exports nothing: programs use the libraries below it, and what
 * adds commands to it is on the class path.
 */
module io.github.loragraph.cli {
  requires com.fasterxml.jackson.annotation;
  requires com.fasterxml.jackson.core;
  requires com.fasterxml.jackson.databind;
  requires com.fasterxml.jackson.dataformat.yaml;
  requires com.microsoft.onnxruntime;
  requires info.picocli;
  requires io.github.loragraph;
  requires io.github.loragraph.runtime;
  requires java.management;
  requires jdk.management;
  requires jdk.unsupported; // signals
  requires me.tongfei.progressbar;
  requires org.slf4j;
  requires static org.jspecify;

  // Options and results are found by reflection.
  opens io.github.loragraph.cli to
      com.fasterxml.jackson.databind,
      info.picocli;

  uses io.github.loragraph.cli.CommandPlugin;

  provides io.github.loragraph.experiment.RunProgram with
      io.github.loragraph.cli.CommandLineProgram;
}
