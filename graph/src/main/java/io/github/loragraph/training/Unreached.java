package io.github.loragraph.training;

import io.github.loragraph.autodiff.Autodiff;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.LoraMetadata;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Trainable values that get no gradient.
 *
 * @param unused that the loss does not depend on: an unused pooler, say
 * @param cutOff that the loss depends on by way of operators alone that let no gradient through
 * @param operators these operators, each with its node
 */
public record Unreached(List<String> unused, List<String> cutOff, List<String> operators) {
  private static final int MOST_NAMED = 3;

  static Unreached of(Autodiff.Cut cut, Collection<String> values) {
    List<String> unused = new ArrayList<>(values);
    unused.removeAll(cut.values());
    return new Unreached(unused, cut.values(), cut.operators());
  }

  /** Whether every value gets a gradient. */
  public boolean isEmpty() {
    return unused.isEmpty() && cutOff.isEmpty();
  }

  /** All of them. */
  public List<String> values() {
    List<String> all = new ArrayList<>(unused);
    all.addAll(cutOff);
    return all;
  }

  /** What is to be said before training, a line for each cause; empty where there is nothing. */
  public List<String> notes() {
    List<String> notes = new ArrayList<>();
    if (!cutOff.isEmpty()) {
      notes.add(
          "not trained, since %s lets no gradient through: %s"
              .formatted(first(operators), first(cutOff)));
    }
    if (!unused.isEmpty()) {
      notes.add("not trained, since the loss does not depend on it: " + first(unused));
    }
    return notes;
  }

  /**
   * Adapters are what an injected model is trained for: a run that leaves all of them is none.
   *
   * @throws LoraGraphException if no adapter, or nothing at all, gets a gradient
   */
  void refuseIfAll(Collection<String> trainable) {
    List<String> left = values();
    List<String> adapters = trainable.stream().filter(LoraMetadata::isAdapterWeight).toList();
    boolean allAdapters = !adapters.isEmpty() && left.containsAll(adapters);
    if (!allAdapters && left.size() < trainable.size()) {
      return;
    }
    String what =
        allAdapters
            ? "no gradient comes to any of the %d adapters".formatted((adapters.size() + 1) / 2)
            : "no gradient comes to any of the %d trainable parameters".formatted(trainable.size());
    throw new LoraGraphException(
        cutOff.isEmpty()
            ? what + ": the output that is trained does not depend on them, choose other layers"
            : "%s: %s lets none through; train layers above it, or export the model without it"
                .formatted(what, first(operators)));
  }

  private static String first(List<String> names) {
    String text = String.join(", ", names.subList(0, Math.min(MOST_NAMED, names.size())));
    return names.size() > MOST_NAMED
        ? "%s and %d more".formatted(text, names.size() - MOST_NAMED)
        : text;
  }
}
