/**
 * The front door: package {@code io.github.loragraph} opens, adapts, trains, measures, runs and
 * writes models. Nothing else of it is promised.
 */
// The module that a package is exported to is built after this one.
@SuppressWarnings("module")
module io.github.loragraph {
  requires com.fasterxml.jackson.core;
  requires com.fasterxml.jackson.databind;
  requires com.fasterxml.jackson.dataformat.yaml;
  requires io.github.loragraph.runtime;
  requires java.management;
  requires jdk.management;
  requires org.slf4j;
  requires transitive io.github.loragraph.core;
  requires static org.jspecify;

  exports io.github.loragraph;
  exports io.github.loragraph.experiment to
      io.github.loragraph.cli;
  exports io.github.loragraph.models to
      io.github.loragraph.cli;
  exports io.github.loragraph.search to
      io.github.loragraph.cli;

  uses io.github.loragraph.experiment.RunProgram;
}
