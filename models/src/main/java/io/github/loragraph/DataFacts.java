package io.github.loragraph;

import io.github.loragraph.data.StoredExamples;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * What a run folder's record says of the data: of texts that are encoded ahead of the steps not all
 * of it at once, and of the batches what the training has come to know.
 */
final class DataFacts
    implements Supplier<Map<String, Object>>, io.github.loragraph.trainer.TrainingListener {
  private static final double ROUNDED = 10_000;

  private final Lesson lesson;
  private final Map<String, Object> data = new LinkedHashMap<>();
  private boolean whole;

  DataFacts(Lesson lesson, int maxLength) {
    this.lesson = lesson;
    data.put("examples", lesson.size());
    data.put("heldOut", lesson.sizeEval());
    // Pairs and groups of texts are no texts, also where there are as many of them.
    if (!lesson.isOfSingleTexts() || lesson.texts().size() != lesson.size()) {
      data.put("texts", lesson.texts().size());
    }
    if (lesson.textsEval().size() != lesson.sizeEval()) {
      data.put("textsEval", lesson.textsEval().size());
    }
    data.put("maxLength", maxLength);
  }

  @Override
  public void padded(double share) {
    data.put("paddingShare", Math.round(ROUNDED * share) / ROUNDED);
  }

  /** Whether all texts are encoded, so that nothing of it is left out. */
  boolean areWhole() {
    return whole;
  }

  @Override
  public Map<String, Object> get() {
    if (!whole
        && StoredExamples.areReady(lesson.texts())
        && StoredExamples.areReady(lesson.textsEval())) {
      whole = true;
      data.put("truncated", lesson.truncated());
      data.put("truncatedEval", lesson.truncatedEval());
      data.put("lengths", TokenLengths.of(lesson.texts()).asMap());
      if (!lesson.textsEval().isEmpty()) {
        data.put("lengthsEval", TokenLengths.of(lesson.textsEval()).asMap());
      }
    }
    return data;
  }
}
