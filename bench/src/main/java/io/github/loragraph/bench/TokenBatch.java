package io.github.loragraph.bench;

import io.github.loragraph.data.HostTensor;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Numbers of tokens, row after row.
 *
 * @param types of tokens
 * @param counts 1 where a token counts, 0 where not
 */
record TokenBatch(int batch, int sequence, long[] ids, long[] types, long[] counts) {
  /** A vocabulary that every model has. */
  private static final int VOCABULARY = 30_000;

  private static final long PADDING = 1;

  /** With as much padding as {@code lora-graph benchmark} takes. */
  static TokenBatch random(int batch, int sequence) {
    long[] counts = new long[batch * sequence];
    for (int i = 0; i < counts.length; i++) {
      int row = i / sequence;
      counts[i] = i % sequence < Math.max(1, sequence - row) ? 1 : 0;
    }
    long[] ids = new SplittableRandom(0).longs(counts.length, 0, VOCABULARY).toArray();
    return new TokenBatch(batch, sequence, ids, new long[counts.length], counts);
  }

  /** What a model's inputs hold. */
  static TokenBatch of(List<HostTensor> inputs) {
    HostTensor ids = input(inputs, "input_ids");
    long[] all = numbers(ids);
    long[] types =
        inputs.stream()
            .filter(tensor -> tensor.name().equals("token_type_ids"))
            .findFirst()
            .map(TokenBatch::numbers)
            .orElseGet(() -> new long[all.length]);
    return new TokenBatch(
        Math.toIntExact(ids.shape()[0]),
        Math.toIntExact(ids.shape()[1]),
        all,
        types,
        numbers(input(inputs, "attention_mask")));
  }

  private static HostTensor input(List<HostTensor> inputs, String name) {
    return inputs.stream().filter(t -> t.name().equals(name)).findFirst().orElseThrow();
  }

  private static long[] numbers(HostTensor tensor) {
    long[] numbers = new long[tensor.data().remaining() / Long.BYTES];
    tensor.data().duplicate().order(tensor.data().order()).asLongBuffer().get(numbers);
    return numbers;
  }

  /** Places of tokens: from 0, or as RoBERTa counts what is no padding. */
  long[] positions(boolean roberta) {
    long[] positions = new long[ids.length];
    long counted = 0;
    for (int i = 0; i < ids.length; i++) {
      counted = i % sequence == 0 ? 0 : counted;
      if (!roberta) {
        positions[i] = i % sequence;
      } else if (ids[i] == PADDING) {
        positions[i] = PADDING;
      } else {
        positions[i] = ++counted + PADDING;
      }
    }
    return positions;
  }

  /** What is added to the scores. */
  float[] mask() {
    float[] mask = new float[counts.length];
    for (int i = 0; i < mask.length; i++) {
      mask[i] = counts[i] == 1 ? 0 : -Float.MAX_VALUE;
    }
    return mask;
  }

  /** {@link #counts} as numbers to calculate with. */
  float[] tokens() {
    float[] tokens = new float[counts.length];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = counts[i];
    }
    return tokens;
  }
}
