package io.github.loragraph;

import io.github.loragraph.data.NoticesOnce;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Hands the notes of one training to all that are to have them, and keeps them. */
final class TrainingNotes implements Consumer<String> {
  private final Consumer<String> ofModel;
  private final List<TrainingListener> listeners;
  private final List<String> lines = new ArrayList<>();

  /** What is said of the data that are read: the same of all of them once. */
  private final NoticesOnce ofData = NoticesOnce.of(this);

  TrainingNotes(Model model, List<TrainingListener> listeners) {
    this.listeners = listeners;
    boolean taken = model.logsNotes() && listeners.stream().anyMatch(TrainingNotes::isTakenBy);
    this.ofModel = taken ? line -> {} : model.notes();
  }

  /** Who has a method of its own for notes does not need the logger to say them once more. */
  private static boolean isTakenBy(TrainingListener listener) {
    try {
      return listener.getClass().getMethod("onNote", String.class).getDeclaringClass()
          != TrainingListener.class;
    } catch (NoSuchMethodException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void accept(String line) {
    lines.add(line);
    ofModel.accept(line);
    listeners.forEach(listener -> listener.onNote(line));
  }

  NoticesOnce ofData() {
    return ofData;
  }

  List<String> lines() {
    return lines;
  }
}
