package io.github.loragraph.cli;

/** Says what the library notes of a training in the words of the command line. */
final class TrainingWords {
  private TrainingWords() {}

  /** The line with the option in it that it is about. */
  static String of(String note) {
    return note.replaceFirst("^untying changes", "--untie changes");
  }
}
