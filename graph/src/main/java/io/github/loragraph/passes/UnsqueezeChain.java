package io.github.loragraph.passes;

import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * An {@code Unsqueeze} of an {@code Unsqueeze} is one with the axes of both, as exporters write
 * {@code mask[:, None, None, :]}. The inner one stays where something else reads it.
 */
final class UnsqueezeChain implements RewriteRule {
  @Override
  public String name() {
    return "UnsqueezeChain";
  }

  @Override
  public @Nullable Consumer<RewriteBuilder> match(Node node, MatchContext context) {
    Node inner = node.is("Unsqueeze") ? context.graph().producer(node.input(0)) : null;
    if (inner == null || !inner.is("Unsqueeze")) {
      return null;
    }
    long[] first = axes(inner, context);
    long[] second = axes(node, context);
    if (first == null || second == null || !areSure(first, second, context, inner.input(0))) {
      return null;
    }
    long[] both = joined(first, second, context.rank(inner.input(0)));
    return builder ->
        builder.replace(
            node, "Unsqueeze", UnaryOperator.identity(), inner.input(0), builder.longs(both));
  }

  private static long @Nullable [] axes(Node unsqueeze, MatchContext context) {
    Tensor axes = unsqueeze.hasInput(1) ? context.constant(unsqueeze.input(1)) : null;
    return axes == null ? null : axes.toLongs();
  }

  /** Where an axis is counted from the end, the rank has to be known. */
  private static boolean areSure(long[] first, long[] second, MatchContext context, String x) {
    return context.rank(x) >= 0
        || (Arrays.stream(first).allMatch(a -> a >= 0)
            && Arrays.stream(second).allMatch(a -> a >= 0));
  }

  /**
   * The axes of length 1 in the result: those of the second, and those of the first where they come
   * to stand between them.
   *
   * @param rank of what goes in; -1 where all axes are counted from the front
   */
  private static long[] joined(long[] first, long[] second, int rank) {
    Set<Long> made = fromTheFront(second, rank + first.length + second.length);
    Set<Long> before = fromTheFront(first, rank + first.length);
    Set<Long> all = new TreeSet<>(made);
    long axis = 0;
    for (long old = 0; !before.isEmpty(); axis++) {
      if (!made.contains(axis)) {
        if (before.remove(old)) {
          all.add(axis);
        }
        old++;
      }
    }
    return all.stream().mapToLong(Long::longValue).toArray();
  }

  private static Set<Long> fromTheFront(long[] axes, int rank) {
    Set<Long> positive = new TreeSet<>();
    for (long axis : axes) {
      positive.add(axis < 0 ? axis + rank : axis);
    }
    return positive;
  }
}
