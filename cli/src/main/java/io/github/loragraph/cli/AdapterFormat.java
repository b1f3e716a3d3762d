package io.github.loragraph.cli;

import java.util.Locale;

/** The layouts that an adapter is written in. */
enum AdapterFormat {
  /** A folder for Hugging Face's PEFT. */
  PEFT,
  /** A file for {@code OrtLoraAdapter}, and the model that takes it. */
  ONNXRUNTIME;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Reads it by its name on the command line. */
  static final class Converter extends NameConverter<AdapterFormat> {
    Converter() {
      super(AdapterFormat.values());
    }
  }
}
