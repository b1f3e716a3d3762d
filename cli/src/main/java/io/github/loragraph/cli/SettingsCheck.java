package io.github.loragraph.cli;

/** A command that can tell of its options alone, when they are parsed, whether they go together. */
interface SettingsCheck {
  /**
   * Refuses options that do not go together, or have values that are not possible; reads no file.
   *
   * @throws picocli.CommandLine.ParameterException if there are such
   * @throws io.github.loragraph.error.LoraGraphException the same, said by the library
   */
  void checkSettings();
}
