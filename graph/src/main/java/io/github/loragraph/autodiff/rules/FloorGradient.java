package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;

/** Rounding down is constant between its steps: dx = 0, as in PyTorch. */
@AutoService(GradientRule.class)
public final class FloorGradient extends ZeroGradient {
  @Override
  public String operator() {
    return "Floor";
  }
}
