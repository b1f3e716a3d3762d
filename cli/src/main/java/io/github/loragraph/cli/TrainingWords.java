package io.github.loragraph.cli;

import java.util.regex.Pattern;

/** Says what the library notes of a training in the words of the command line. */
final class TrainingWords {
  private static final Pattern OTHER_SETTING = Pattern.compile("'([A-Za-z]+)'( is another one, )");

  private TrainingWords() {}

  /** The line with the option in it that it is about. */
  static String of(String note) {
    return OTHER_SETTING
        .matcher(note.replaceFirst("^untying changes", "--untie changes"))
        .replaceFirst(match -> ConfigFile.option(match.group(1)) + match.group(2));
  }
}
