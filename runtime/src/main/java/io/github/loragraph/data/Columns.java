package io.github.loragraph.data;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The names under which a data file has text, second text and label; the first that is there. */
public record Columns(List<String> text, List<String> textPair, List<String> label) {
  /** The names that the usual data sets have. */
  public static final Columns USUAL =
      new Columns(
          List.of("text", "sentence", "sentence1", "question1", "question", "premise"),
          List.of("text_pair", "sentence2", "question2", "answer", "hypothesis"),
          List.of("label", "labels", "intent", "class", "tags", "ner_tags", "entities", "spans"));

  /** The fields under which JSON lines have the words of a text. */
  static final List<String> WORDS = List.of("tokens", "words");

  /** Of a file that is read by its fields alone. */
  static final Columns NONE = new Columns(List.of(), List.of(), List.of());

  /** The same with other names; null keeps what there is. A name given so has to be there. */
  public Columns with(@Nullable String text, @Nullable String textPair, @Nullable String label) {
    return new Columns(
        text == null ? this.text : List.of(text),
        textPair == null ? this.textPair : List.of(textPair),
        label == null ? this.label : List.of(label));
  }
}
