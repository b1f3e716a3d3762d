package io.github.loragraph.cli;

import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/** The experiments that come with the tool, with the sentences of the quickstart to run them on. */
enum ExperimentExample {
  ARTICLE,
  SWEEP;

  private static final List<String> DATA = List.of("train.tsv", "eval.tsv");

  /** Reads the name of one. */
  static final class Converter extends NameConverter<ExperimentExample> {
    Converter() {
      super(ExperimentExample.values());
    }
  }

  /** Its name, as it is typed. */
  String title() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Writes its files, the experiment's first.
   *
   * @throws io.github.loragraph.error.LoraGraphException if one is there already, or cannot be
   *     written
   */
  List<Path> unpack(Path folder) {
    return unpack(folder, List.of(title()));
  }

  /** The same of any files of their kind, by their names. */
  static List<Path> unpack(Path folder, List<String> titles) {
    List<Path> files = new ArrayList<>();
    titles.forEach(
        title ->
            files.add(copy("experiments/" + title + ".yaml", folder.resolve(title + ".yaml"))));
    DATA.forEach(name -> files.add(copy("quickstart/" + name, folder.resolve(name))));
    return files;
  }

  private static Path copy(String resource, Path target) {
    AtomicFile.write(target, false, out -> out.write(content(resource)));
    return target;
  }

  private static byte[] content(String resource) throws IOException {
    try (InputStream in =
        Objects.requireNonNull(ExperimentExample.class.getResourceAsStream(resource))) {
      return in.readAllBytes();
    }
  }
}
