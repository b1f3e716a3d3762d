package io.github.loragraph.check;

import io.github.loragraph.ops.Operators;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.ort.SessionProfile;
import io.github.loragraph.ort.SessionProfile.NodeRun;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Where the time of a session's last call went, so that what the first does once (memory, choice of
 * algorithms) is left out. A control-flow node's time is that of its body and is not counted twice.
 * Where the build traces the GPU, times are those of the GPU; else those of the thread that runs
 * the nodes, which on a GPU are what starting the work took, not the work.
 */
final class CallTimes {
  /** Between host and device; a copy within the device is work like any other. */
  private static final Set<String> TRACED_COPIES =
      Set.of("MemcpyHostToDevice", "MemcpyDeviceToHost");

  /** Something that took time: a node on the host, or a kernel or a copy on the device. */
  private record Span(String operator, long micros, boolean copy) {}

  private final List<NodeRun> nodes;
  private final List<Span> spans;
  private final boolean traced;

  private CallTimes(List<NodeRun> nodes, List<Span> spans, boolean traced) {
    this.nodes = nodes;
    this.spans = spans;
    this.traced = traced;
  }

  static CallTimes of(SessionProfile profile) {
    long lastCall = profile.lastCall();
    List<NodeRun> nodes = profile.nodes().stream().filter(n -> n.start() >= lastCall).toList();
    boolean traced = !profile.deviceWork().isEmpty();
    Stream<Span> spans =
        traced
            ? profile.deviceWork().stream()
                .filter(w -> w.start() >= lastCall)
                .map(w -> new Span(w.operator(), w.micros(), TRACED_COPIES.contains(w.name())))
            : nodes.stream().map(n -> new Span(n.operator(), n.micros(), n.isCopy()));
    return new CallTimes(
        nodes,
        spans.filter(s -> !Operators.all().has(s.operator(), Trait.CONTROL_FLOW)).toList(),
        traced);
  }

  /** Whether times are the GPU's own. */
  boolean isTraced() {
    return traced;
  }

  /** How often nodes copied between host and device. */
  long copies() {
    return nodes.stream().filter(NodeRun::isCopy).count();
  }

  /** What copies between host and device took. */
  double copySeconds() {
    return seconds(spans.stream().filter(Span::copy).mapToLong(Span::micros));
  }

  /** What computing took. */
  double kernelSeconds() {
    return seconds(spans.stream().filter(s -> !s.copy()).mapToLong(Span::micros));
  }

  /** Which part of {@link #kernelSeconds} went into matrix products, 0 to 1. */
  double matrixShare() {
    double all = kernelSeconds();
    double products =
        seconds(
            spans.stream()
                .filter(s -> !s.copy() && Operators.all().has(s.operator(), Trait.MATRIX_PRODUCT))
                .mapToLong(Span::micros));
    return all == 0 ? 0 : products / all;
  }

  private static double seconds(LongStream micros) {
    return micros.sum() / 1e6;
  }

  /** Additions and multiplications of all matrix products, without Einsum. */
  double matrixFlops() {
    return nodes.stream().mapToDouble(CallTimes::flops).sum();
  }

  /** Additions and multiplications of a matrix product; 0 for what is none. */
  private static double flops(NodeRun run) {
    // The formula of an Einsum is not in the profile.
    if (!Operators.all().has(run.operator(), Trait.MATRIX_PRODUCT)
        || run.operator().equals("Einsum")
        || run.inputs().isEmpty()
        || run.outputs().isEmpty()) {
      return 0;
    }
    // Only the first input is sure to be there: packed weights are missing from the list. Whether
    // it is transposed is not in the profile; its size does not depend on it.
    long[] a = run.inputs().get(0);
    long[] product = run.outputs().get(0);
    if (elements(product) == 0 || product.length < 2) {
      return 2.0 * elements(a);
    }
    long rows = product[product.length - 2];
    long columns = product[product.length - 1];
    long inner = a.length <= 2 ? elements(a) / rows : elements(a) * columns / elements(product);
    return 2.0 * elements(product) * inner;
  }

  private static long elements(long[] shape) {
    return LongStream.of(shape).reduce(1, (a, b) -> a * b);
  }
}
