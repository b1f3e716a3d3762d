package io.github.loragraph.bench;

import io.github.loragraph.lora.Linear;
import io.github.loragraph.lora.LinearFinder;
import io.github.loragraph.lora.Method;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Additions and multiplications of the matrix products that a batch needs, counted from the model
 * and not from what an engine runs: each Linear forward; its input's gradient where something that
 * is trained lies before it; its weight's where that is trained; adapters likewise; attention's two
 * products and those of their gradients that are asked for. After the last attention only the rows
 * that the head reads are counted. What is not a product is not counted.
 *
 * @param forward of the answers alone
 * @param step of a training step: forward and gradients
 */
record OperationCount(double forward, double step) {
  private static final String ATTENTION = ".attention.self.";

  /**
   * Counts.
   *
   * @param graph an encoder with a head as {@code reference} and {@code add-head} make them
   */
  static OperationCount of(Graph graph, Method method, int batch, int sequence) {
    return new Counter(graph, method, batch, sequence).count();
  }

  /** A Linear with what its products need. */
  private record Layer(
      String path, double in, double out, int rank, double rows, boolean input, boolean trained) {
    double forward() {
      return 2 * rows * (in * out + rank * (in + out));
    }

    double backward(boolean adapters) {
      double gradients = (input ? in * out : 0) + (trained ? in * out : 0);
      // Of B, of xA, of A, and of x through A.
      double ofAdapter = adapters ? rank * (2 * out + in + (input ? in : 0)) : 0;
      return 2 * rows * (gradients + ofAdapter);
    }
  }

  private static final class Counter {
    private final Graph graph;
    private final Method method;
    private final double batch;
    private final double sequence;
    private final List<Linear> linears;
    private final boolean firstTokenOnly;
    private final String last;

    Counter(Graph graph, Method method, int batch, int sequence) {
      this.graph = graph;
      this.method = method;
      this.batch = batch;
      this.sequence = sequence;
      this.linears = LinearFinder.find(graph);
      this.last =
          linears.stream()
              .map(Linear::path)
              .filter(path -> path.contains(ATTENTION))
              .reduce("", (before, path) -> path)
              .replaceFirst("attention\\.self\\..*", "");
      this.firstTokenOnly =
          linears.stream()
              .filter(linear -> isOfHead(linear.path()))
              .map(linear -> graph.producer(linear.sites().get(0).input()))
              .anyMatch(producer -> producer != null && producer.is("Gather"));
    }

    OperationCount count() {
      double forward = 0;
      double backward = 0;
      Set<String> before = new HashSet<>();
      List<Layer> attention = new ArrayList<>();
      for (Linear linear : linears) {
        Layer layer = layer(linear, before);
        forward += layer.forward();
        backward += layer.backward(method == Method.LORA);
        if (layer.rank > 0) {
          before.add(layer.path);
        }
        if (layer.path.contains(ATTENTION)) {
          attention.add(layer);
          if (attention.size() == 3) {
            double products = products(attention);
            forward += 2 * products;
            backward += gradients(attention) * products;
            attention.clear();
          }
        }
      }
      return new OperationCount(forward, forward + backward);
    }

    private Layer layer(Linear linear, Set<String> adaptedBefore) {
      String path = linear.path();
      boolean ofHead = isOfHead(path);
      @Nullable Tensor a = graph.initializers().get(path + ".lora_A");
      int rank = a == null ? 0 : Math.toIntExact(a.dim(1));
      boolean trained = method == Method.FULL || ofHead;
      boolean input =
          method == Method.FULL
              || (method == Method.LORA && reached(path, adaptedBefore))
              || (ofHead && !path.equals("classifier.dense"));
      return new Layer(path, linear.in(), linear.out(), rank, rows(path), input, trained);
    }

    /** Query, key and value of a layer do not lie before each other. */
    private static boolean reached(String path, Set<String> adaptedBefore) {
      int self = path.indexOf(ATTENTION);
      String siblings = self < 0 ? path : path.substring(0, self) + ATTENTION;
      return adaptedBefore.stream().anyMatch(adapted -> !adapted.startsWith(siblings));
    }

    private double rows(String path) {
      boolean few =
          isOfHead(path)
              || (firstTokenOnly
                  && path.startsWith(last)
                  && !path.endsWith(".key")
                  && !path.endsWith(".value"));
      return few ? batch : batch * sequence;
    }

    /** Of the scores, and as many of the context. */
    private double products(List<Layer> attention) {
      Layer query =
          attention.stream().filter(l -> l.path.endsWith(".query")).findFirst().orElseThrow();
      return 2 * query.rows * sequence * query.out;
    }

    /** Which of the four gradients of attention's two products are asked for. */
    private int gradients(List<Layer> attention) {
      int of = 0;
      boolean scores = false;
      for (Layer layer : attention) {
        boolean wanted = layer.input || layer.trained || (layer.rank > 0 && method == Method.LORA);
        of += wanted ? 1 : 0;
        scores |= wanted && !layer.path.endsWith(".value");
      }
      return of + (scores ? 1 : 0);
    }

    private static boolean isOfHead(String path) {
      return path.startsWith("classifier");
    }
  }
}
