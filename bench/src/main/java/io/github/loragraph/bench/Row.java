package io.github.loragraph.bench;

import io.github.loragraph.lora.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What is measured: a program and the arguments that it gets besides those of the setting.
 *
 * @param name as tables have it
 * @param arguments of {@code lora-graph benchmark}, or of {@link TorchFork}
 */
record Row(String name, Kind kind, List<String> arguments) {
  /** Whose step it is. */
  enum Kind {
    /** This program's. */
    PROGRAM,
    /** This program's at another commit. */
    BASE,
    /** libtorch's, through DJL. */
    LIBTORCH
  }

  private static final String FROZEN = "--frozen";

  /** The rows that are there without being asked for; the others are compared with the first. */
  static final List<Row> ALL =
      List.of(
          new Row("graph", Kind.PROGRAM, List.of()),
          new Row("training-api", Kind.PROGRAM, List.of("--engine", "training-api")),
          new Row("libtorch script, frozen", Kind.LIBTORCH, List.of("--form", "script", FROZEN)),
          new Row("libtorch script", Kind.LIBTORCH, List.of("--form", "script")),
          new Row("libtorch eager, frozen", Kind.LIBTORCH, List.of("--form", "eager", FROZEN)),
          new Row("libtorch eager", Kind.LIBTORCH, List.of("--form", "eager")));

  Row {
    arguments = List.copyOf(arguments);
  }

  /**
   * A row of this program.
   *
   * @param text a name, {@code =} and arguments of {@code benchmark}, separated by spaces
   */
  static Row parse(String text) {
    int end = text.indexOf('=');
    List<String> words = Arrays.asList(text.substring(end + 1).strip().split("\\s+"));
    return new Row(text.substring(0, end), Kind.PROGRAM, words);
  }

  /** The same step of the program at another commit. */
  Row ofBase() {
    return new Row("base: " + name, Kind.BASE, arguments);
  }

  /** Whether a method leaves it anything to freeze, or anything not to. */
  boolean fits(Method method) {
    return kind != Kind.LIBTORCH
        || method == Method.LORA
        || arguments.contains(FROZEN) == (method == Method.HEAD);
  }

  /** All words for a setting, after the program's own. */
  List<String> words(Setting setting, String file, int steps) {
    List<String> words = new ArrayList<>();
    if (kind != Kind.LIBTORCH) {
      words.addAll(List.of("benchmark", "--json"));
    }
    words.add(file);
    words.addAll(List.of("--method", setting.method().toString()));
    words.addAll(List.of("--batch-size", Integer.toString(setting.batch())));
    words.addAll(List.of("--sequence", Integer.toString(setting.sequence())));
    words.addAll(List.of("--threads", Integer.toString(setting.threads())));
    words.addAll(List.of("--steps", Integer.toString(steps)));
    words.addAll(arguments);
    return words;
  }
}
