package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;

/** Rounding up is constant between its steps: dx = 0, as in PyTorch. */
@AutoService(GradientRule.class)
public final class CeilGradient extends ZeroGradient {
  @Override
  public String operator() {
    return "Ceil";
  }
}
