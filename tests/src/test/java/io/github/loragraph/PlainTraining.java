package io.github.loragraph;

import io.github.loragraph.onnx.Graph;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The recipe for {@link TinyClassifier}, written down once more in double precision and without
 * anything of lora-graph: each step is one batch of all its rows.
 */
final class PlainTraining {
  /** What decays where biases and normalization weights do not. */
  private static final Set<String> WEIGHTS =
      Set.of("embeddings.weight", "dense.weight", "classifier.weight");

  private static final double NORM_EPSILON = 1e-5;

  /**
   * @param labels a class for each row, or -100
   * @param classWeights one for each class, or empty
   */
  record Data(List<int[]> rows, int[] labels, double[] classWeights, double labelSmoothing) {
    double weight(int row) {
      return labels[row] < 0 ? 0 : classWeights.length == 0 ? 1 : classWeights[labels[row]];
    }

    private double classWeight(int label) {
      return classWeights.length == 0 ? 1 : classWeights[label];
    }
  }

  record Optimizer(double weightDecay, boolean decaysAll, double maxNorm) {}

  private final Data data;
  private final Optimizer optimizer;
  private final Map<String, double[]> parameters = new HashMap<>();
  private final Map<String, double[]> first = new HashMap<>();
  private final Map<String, double[]> second = new HashMap<>();
  private int steps;

  PlainTraining(Data data, Optimizer optimizer) {
    this.data = data;
    this.optimizer = optimizer;
    Graph graph = TinyClassifier.model().graph();
    for (String name : TinyClassifier.PARAMETERS) {
      double[] values = graph.initializer(name).toDoubles();
      parameters.put(name, values);
      first.put(name, new double[values.length]);
      second.put(name, new double[values.length]);
    }
  }

  Map<String, double[]> parameters() {
    return parameters;
  }

  /** Of the peak, for step s counted from 0. */
  static double linear(long step, long warmUp, long total) {
    return step < warmUp
        ? (double) step / warmUp
        : Math.max(0, (double) (total - step) / Math.max(1, total - warmUp));
  }

  /** Of the peak, for step s counted from 0. */
  static double cosine(long step, long warmUp, long total) {
    double done = (double) (step - warmUp) / Math.max(1, total - warmUp);
    return step < warmUp ? (double) step / warmUp : (1 + Math.cos(Math.PI * done)) / 2;
  }

  /**
   * @param batch numbers of rows
   * @return the loss before the step
   */
  double step(List<Integer> batch, double rate) {
    Map<String, double[]> gradients = new HashMap<>();
    parameters.forEach((name, values) -> gradients.put(name, new double[values.length]));
    double sum = batch.stream().mapToDouble(data::weight).sum();
    double loss = 0;
    for (int row : batch) {
      if (data.labels()[row] >= 0 && sum > 0) {
        loss += addGradients(row, sum, gradients);
      }
    }
    double squares = 0;
    for (double[] gradient : gradients.values()) {
      for (double g : gradient) {
        squares += g * g;
      }
    }
    double clip =
        optimizer.maxNorm() == 0
            ? 1
            : Math.min(1, optimizer.maxNorm() / (Math.sqrt(squares) + 1e-6));
    steps++;
    for (String name : TinyClassifier.PARAMETERS) {
      boolean decays = optimizer.decaysAll() || WEIGHTS.contains(name);
      double[] p = parameters.get(name);
      double[] m = first.get(name);
      double[] v = second.get(name);
      for (int i = 0; i < p.length; i++) {
        double g = gradients.get(name)[i] * clip;
        m[i] = 0.9 * m[i] + 0.1 * g;
        v[i] = 0.999 * v[i] + 0.001 * g * g;
        double update =
            m[i]
                / (1 - Math.pow(0.9, steps))
                / (Math.sqrt(v[i] / (1 - Math.pow(0.999, steps))) + 1e-8);
        p[i] -= rate * (update + (decays ? optimizer.weightDecay() * p[i] : 0));
      }
    }
    return loss;
  }

  /**
   * @param sum of the weights of the step's labels
   * @return the row's part of the step's loss
   */
  private double addGradients(int row, double sum, Map<String, double[]> gradients) {
    int hidden = parameters.get("dense.bias").length;
    int classes = TinyClassifier.CLASSES;
    int[] ids = data.rows().get(row);
    double[] embeddings = parameters.get("embeddings.weight");
    double[] mean = new double[hidden];
    for (int id : ids) {
      for (int j = 0; j < hidden; j++) {
        mean[j] += embeddings[id * hidden + j] / ids.length;
      }
    }
    double[] h = product(mean, parameters.get("dense.weight"), parameters.get("dense.bias"));
    double mu = 0;
    for (int j = 0; j < hidden; j++) {
      h[j] = Math.tanh(h[j]);
      mu += h[j] / hidden;
    }
    double variance = 0;
    for (double x : h) {
      variance += (x - mu) * (x - mu) / hidden;
    }
    double deviation = Math.sqrt(variance + NORM_EPSILON);
    double[] unit = new double[hidden];
    double[] normal = new double[hidden];
    for (int j = 0; j < hidden; j++) {
      unit[j] = (h[j] - mu) / deviation;
      normal[j] = unit[j] * parameters.get("norm.weight")[j] + parameters.get("norm.bias")[j];
    }
    double[] logits =
        product(normal, parameters.get("classifier.weight"), parameters.get("classifier.bias"));
    double total = 0;
    for (double logit : logits) {
      total += Math.exp(logit);
    }
    int label = data.labels()[row];
    double smoothing = data.labelSmoothing();
    double[] targets = new double[classes];
    for (int k = 0; k < classes; k++) {
      targets[k] = smoothing / classes * data.classWeight(k) / sum;
    }
    targets[label] += (1 - smoothing) * data.weight(row) / sum;
    double all = 0;
    double loss = 0;
    for (int k = 0; k < classes; k++) {
      all += targets[k];
      loss -= targets[k] * (logits[k] - Math.log(total));
    }
    double[] d = new double[classes];
    for (int k = 0; k < classes; k++) {
      d[k] = all * Math.exp(logits[k]) / total - targets[k];
    }
    double[] dNormal = back(normal, "classifier", d, gradients);
    double[] dUnit = new double[hidden];
    double sum1 = 0;
    double sum2 = 0;
    for (int j = 0; j < hidden; j++) {
      gradients.get("norm.weight")[j] += dNormal[j] * unit[j];
      gradients.get("norm.bias")[j] += dNormal[j];
      dUnit[j] = dNormal[j] * parameters.get("norm.weight")[j];
      sum1 += dUnit[j] / hidden;
      sum2 += dUnit[j] * unit[j] / hidden;
    }
    double[] dSum = new double[hidden];
    for (int j = 0; j < hidden; j++) {
      dSum[j] = (dUnit[j] - sum1 - unit[j] * sum2) / deviation * (1 - h[j] * h[j]);
    }
    double[] dMean = back(mean, "dense", dSum, gradients);
    for (int id : ids) {
      for (int j = 0; j < hidden; j++) {
        gradients.get("embeddings.weight")[id * hidden + j] += dMean[j] / ids.length;
      }
    }
    return loss;
  }

  private static double[] product(double[] x, double[] weight, double[] bias) {
    double[] y = bias.clone();
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < y.length; j++) {
        y[j] += x[i] * weight[i * y.length + j];
      }
    }
    return y;
  }

  /** Through a Linear: adds the gradients of its parameters. */
  private double[] back(double[] x, String linear, double[] dy, Map<String, double[]> gradients) {
    double[] weight = parameters.get(linear + ".weight");
    double[] dx = new double[x.length];
    for (int j = 0; j < dy.length; j++) {
      gradients.get(linear + ".bias")[j] += dy[j];
      for (int i = 0; i < x.length; i++) {
        gradients.get(linear + ".weight")[i * dy.length + j] += x[i] * dy[j];
        dx[i] += weight[i * dy.length + j] * dy[j];
      }
    }
    return dx;
  }

  /** All rows of several batches. */
  static List<Integer> together(List<List<Integer>> batches) {
    List<Integer> all = new ArrayList<>();
    batches.forEach(all::addAll);
    return all;
  }
}
