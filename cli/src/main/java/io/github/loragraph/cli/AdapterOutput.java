package io.github.loragraph.cli;

import io.github.loragraph.Adapter;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Option;

/** Where a command writes the adapter that it makes. */
final class AdapterOutput {
  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "DIR",
      description = "The folder to write the adapter to.")
  private Path folder;

  @Option(names = "--force", description = "Replace an adapter that exists.")
  private boolean force;

  /** Refuses a folder that cannot be written, before any work is done. */
  void check() {
    Adapter.checkSave(folder, force);
  }

  /** Writes it; the result names the folder. */
  void write(Adapter adapter, Map<String, Object> result) {
    adapter.save(folder, force);
    result.put("output", folder.toString());
  }
}
