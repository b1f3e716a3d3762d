package io.github.loragraph.sagemaker.client;

import io.github.loragraph.cli.ResultOutput;
import io.github.loragraph.error.LoraGraphException;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Does something with each of several jobs: one that fails keeps no other from its turn. Used by
 * one thread.
 */
final class EachJob {
  private final Set<String> names;
  private final ResultOutput output;
  private final Map<String, LoraGraphException> failures = new LinkedHashMap<>();

  /**
   * @param names of which each is taken once
   * @param output takes a line for each that fails of several
   */
  EachJob(List<String> names, ResultOutput output) {
    this.names = new LinkedHashSet<>(names);
    this.output = output;
  }

  void run(Consumer<String> action) {
    for (String name : names) {
      try {
        action.accept(name);
      } catch (LoraGraphException e) {
        failures.put(name, e);
        if (names.size() > 1) {
          output.say(String.valueOf(e.getMessage()));
        }
      }
    }
  }

  /** The jobs that failed, in their order. */
  List<String> failed() {
    return List.copyOf(failures.keySet());
  }

  /**
   * Ends the command as failed where a job has.
   *
   * @param what became of the others: {@code stopped}
   * @throws LoraGraphException if one failed; of a single job it is its own
   */
  void requireAll(String what) {
    if (failures.isEmpty()) {
      return;
    }
    if (names.size() == 1) {
      throw failures.values().iterator().next();
    }
    LoraGraphException all =
        new LoraGraphException(
            "%d of %d jobs could not be %s".formatted(failures.size(), names.size(), what));
    failures.values().forEach(all::addSuppressed);
    throw all;
  }
}
