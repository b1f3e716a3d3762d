package io.github.loragraph.data;

import io.github.loragraph.training.CrossEntropyLoss;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

/**
 * Masks tokens as {@code DataCollatorForLanguageModeling} of Hugging Face's transformers: of those
 * that are chosen 80 % become the mask, 10 % any token of the vocabulary, and 10 % stay as they
 * are. The target has their ids, and {@value CrossEntropyLoss#IGNORE_INDEX} for all others.
 *
 * <p>An example comes as {@link ExampleEncoder#parts} makes it: its target has the number of the
 * word that each token is of, and {@value CrossEntropyLoss#IGNORE_INDEX} where a token is never
 * chosen. What is drawn follows from seed, epoch and index alone, on every Java. As in
 * transformers, of a short text nothing may be chosen: it then counts nothing.
 */
public final class TokenMasking implements EpochView {
  private static final String IDS = "input_ids";
  private static final double BECOMES_MASK = 0.8;
  private static final double BECOMES_OR_RANDOM = 0.9;

  private final Masking masking;
  private final MaskVocabulary vocabulary;
  private final long seed;

  /**
   * @param vocabulary all of whose ids the model knows
   */
  public TokenMasking(Masking masking, MaskVocabulary vocabulary, long seed) {
    this.masking = masking;
    this.vocabulary = vocabulary;
    this.seed = seed;
  }

  @Override
  public Example at(long epoch, int index, Example example) {
    Random random = new Random(mixed(mixed(mixed(seed) + epoch) + index));
    Values words = example.requireTarget();
    Values ids = Objects.requireNonNull(example.inputs().get(IDS));
    int[] shown = new int[words.count()];
    int[] target = new int[shown.length];
    Arrays.fill(target, (int) CrossEntropyLoss.IGNORE_INDEX);
    boolean chosen = false;
    double word = CrossEntropyLoss.IGNORE_INDEX;
    for (int i = 0; i < shown.length; i++) {
      shown[i] = (int) ids.get(i);
      if (words.get(i) < 0 || shown[i] >= vocabulary.size()) {
        word = CrossEntropyLoss.IGNORE_INDEX;
        continue;
      }
      if (!masking.wholeWords() || words.get(i) != word) {
        chosen = random.nextDouble() < masking.probability();
        word = words.get(i);
      }
      if (chosen) {
        target[i] = shown[i];
        shown[i] = replaced(shown[i], random);
      }
    }
    Map<String, Values> inputs = new HashMap<>(example.inputs());
    inputs.put(IDS, Values.of(shown));
    return new Example(inputs, Values.of(target));
  }

  private int replaced(int id, Random random) {
    double kind = random.nextDouble();
    return kind < BECOMES_MASK
        ? vocabulary.mask()
        : kind < BECOMES_OR_RANDOM ? random.nextInt(vocabulary.size()) : id;
  }

  /**
   * SplitMix64's, so that neighbouring numbers begin rows of numbers that have nothing in common.
   */
  private static long mixed(long number) {
    long z = number + 0x9e3779b97f4a7c15L;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
