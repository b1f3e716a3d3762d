/**
 * What a program uses: model folders, models from Maven Central, heads, reference architectures.
 */
// The module that a package is exported to is built after this one.
@SuppressWarnings("module")
module io.github.loragraph {
  requires com.fasterxml.jackson.core;
  requires com.fasterxml.jackson.databind;
  requires io.github.loragraph.runtime;
  requires org.slf4j;
  requires transitive io.github.loragraph.core;

  exports io.github.loragraph.models to
      io.github.loragraph.cli;
}
