package io.github.loragraph.cli;

import io.github.loragraph.Adapter;
import java.nio.file.Path;

/** What the commands on adapters say where they open one. */
final class AdapterArgument {
  static final String DESCRIPTION = "A folder in PEFT's layout, or a run folder with one.";

  private AdapterArgument() {}

  static Adapter open(Path path, ResultOutput output) {
    Adapter adapter = Adapter.open(path);
    adapter.notes().forEach(output::say);
    return adapter;
  }
}
